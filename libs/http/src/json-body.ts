import { createHash } from 'node:crypto';
import { MIMEType } from 'node:util';
import { createOneATurn } from '@offload/process';
import type { Request, RequestHandler } from 'express';
import { budgetOf, UNCOUNTED_BYTES } from './byte-budget.ts';
import { decoderOf } from './content-coding.ts';
import { clipped, Problem } from './problem.ts';
import { parseStrictJson } from './strict-json.ts';

export interface JsonBodyOptions {
  /** Most bytes of a body, both as it comes and after content decoding. @default 1_048_576 (1 MiB) */
  limitBytes?: number;
  /** Most arrays and objects within each other. @default 64 */
  maxDepth?: number;
  /** Most members, arrays and objects in all: see `parseStrictJson`. @default 50_000 */
  maxParts?: number;
  /** Requests whose `bodyDigest` may be asked for: it costs more than the rest of a small body. @default all */
  digested?: (request: Request) => boolean;
}

/** Parses large bodies: one takes milliseconds, and whole crowds come to their end at once. */
const oneATurn = createOneATurn();

/** Kept instead of the octets, which a held answer would keep too. */
const digests = new WeakMap<Request, Buffer>();

/**
 * Reads the body as JSON into `request.body`. It must be `application/json` in UTF-8, plain or compressed, and mean the same
 * to everybody: see `parseStrictJson`.
 *
 * Whatever else comes is a problem: 415 `unsupported-media-type` with what is accepted (RFC 9110 section 15.5.16), 413
 * `body-too-large`, 503 `overloaded` where the process holds too many bytes, 408 `request-timeout` where it comes in
 * slowly and others need its room, 400 `malformed-json`, 400 `invalid-request` with a pointer, or 400 `bad-request` for
 * what does not come to its end or is not compressed as it says.
 */
export function jsonBody(options: JsonBodyOptions = {}): RequestHandler {
  const { limitBytes = 1024 * 1024, maxDepth = 64, maxParts = 50_000, digested = () => true } = options;

  return (request, response, next) => {
    refuseOtherTypes(request);
    const { headers } = request;
    const decoder = decoderOf(headers['content-encoding']);
    const published = Number(headers['content-length'] ?? 0);
    if (published > limitBytes) throw tooLarge(limitBytes);
    const budget = budgetOf(response);
    const count = budget.body(response, settle); // as it comes: what is only announced takes no room

    if (/^100-continue$/i.test(headers.expect ?? '') && request.httpVersion !== '1.0') {
      response.shouldKeepAlive = !/(^|[\s,])close([\s,]|$)/i.test(headers.connection ?? '');
      response.writeContinue(); // only now: who may not, or sends too much, need not send it (RFC 9110 section 10.1.1)
    }

    let settled = false;
    let chunks: Buffer[] = [];
    let [received, decoded] = [0, 0];
    function settle(error: unknown, octets?: Buffer): void {
      if (settled) return;
      settled = true;
      chunks = []; // a held answer would keep them
      if (decoded > UNCOUNTED_BYTES) budget.arrived(response);
      if (decoder) {
        request.unpipe(decoder).resume();
        decoder.destroy();
      }
      if (error || !octets) return next(error ?? endedEarly());
      if (octets.length > UNCOUNTED_BYTES) void parseLarge(octets);
      else next(parse(octets));
    }
    async function parseLarge(octets: Buffer): Promise<void> {
      await oneATurn.next();
      const fault = parse(octets);
      await oneATurn.next(); // what the route does with it comes in a turn of its own, too
      next(fault);
    }
    /** @returns what is wrong with the body */
    function parse(octets: Buffer): unknown {
      try {
        request.body = parseStrictJson(octets, maxDepth, maxParts);
        if (digested(request)) digests.set(request, createHash('sha256').update(octets).digest());
        return undefined;
      } catch (fault) {
        return fault;
      }
    }

    function keep(chunk: Buffer): void {
      decoded += chunk.length;
      if (settled) return;
      if (decoded > limitBytes) return settle(tooLarge(limitBytes));
      try {
        count(decoded);
      } catch (overloaded) {
        return settle(overloaded);
      }
      chunks.push(chunk);
    }
    const end = (): void => settle(null, chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
    if (decoder) {
      request.on('data', ({ length }: Buffer) => {
        received += length;
        if (received > limitBytes) settle(tooLarge(limitBytes));
      });
      request
        .pipe(decoder)
        .on('data', keep)
        .on('end', end)
        .on('error', (error) => settle(undecodable(error, headers['content-encoding'])));
    } else {
      request.on('data', keep).once('end', end);
    }
    request.once('close', () => {
      // After the end it is settled already, or will be when all is decoded.
      if (!request.complete || !decoder) settle(null);
    });
    if (request.destroyed) settle(null);
  };
}

/**
 * SHA-256 of the body as the client meant it: its octets after content decoding. For the fingerprint that belongs to an
 * idempotency key.
 *
 * @throws Error where `jsonBody` has not read a body, or was told that nobody asks
 */
export function bodyDigest(request: Request): Buffer {
  const digest = digests.get(request);
  if (!digest) throw new Error('bodyDigest is for routes behind jsonBody');
  return digest;
}

function refuseOtherTypes(request: Request): void {
  const given = request.get('content-type');
  const hasBody = request.get('content-length') !== undefined || request.get('transfer-encoding') !== undefined;
  if (given === undefined || !hasBody) throw unsupported('send a body, as application/json');
  const type = parseMediaType(given);
  if (type?.essence !== 'application/json') throw unsupported('send the body as application/json');
  const charset = type.params.get('charset');
  // JSON has no such parameter (RFC 8259 section 11); who sends one must at least mean the same.
  if (charset !== null && !/^utf-?8$/i.test(charset)) throw unsupported('JSON is UTF-8, and nothing else is read');
}

function parseMediaType(text: string): MIMEType | null {
  try {
    return new MIMEType(text);
  } catch {
    return null;
  }
}

function unsupported(detail: string): Problem {
  const headers = { Accept: 'application/json' };
  return new Problem(415, 'unsupported-media-type', 'The media type is not supported', detail, { headers });
}

function endedEarly(): Problem {
  return new Problem(400, 'bad-request', 'The request cannot be read', 'it ended early');
}

/** zlib's messages don't say what they are about: "incorrect header check". */
function undecodable(cause: Error, coding = ''): Problem {
  const detail = `its body is not coded as ${coding.trim().toLowerCase()}: ${clipped(cause.message)}`;
  return new Problem(400, 'bad-request', 'The request cannot be read', detail, { cause });
}

function tooLarge(limitBytes: number): Problem {
  return new Problem(413, 'body-too-large', 'The body is too large', `it may have ${limitBytes} bytes at most`);
}
