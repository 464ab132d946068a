import { createHash } from 'node:crypto';
import { MIMEType } from 'node:util';
import { createOneATurn } from '@offload/process';
import type { Request, RequestHandler } from 'express';
import { budgetOf, UNCOUNTED_BYTES } from './byte-budget.ts';
import { decoderOf } from './content-coding.ts';
import { clipped, Problem } from './problem.ts';
import { parseStrictJson } from './strict-json.ts';

/** Limits of a JSON body. A body beyond one of them gets a problem. */
export interface JsonBodyOptions {
  /** Most bytes of a body, as received and after content decoding. @default 1_048_576 (1 MiB) */
  limitBytes?: number;
  /** Most levels of arrays and objects. @default 64 */
  maxDepth?: number;
  /** Most members, arrays and objects together: see `parseStrictJson`. @default 50_000 */
  maxParts?: number;
  /** Requests whose `bodyDigest` a route reads. A digest costs more than parsing a small body. @default all */
  digested?: (request: Request) => boolean;
}

/** Parses one large body an event-loop turn: each takes milliseconds, and many may be complete at once. */
const oneATurn = createOneATurn();

/** The digests of bodies. The bytes themselves are dropped, so that a held answer does not keep them. */
const digests = new WeakMap<Request, Buffer>();

/**
 * Reads the request body as JSON into `request.body`. The body must be `application/json` in UTF-8, plain or
 * compressed, and have one meaning for every parser: see `parseStrictJson`.
 *
 * Other bodies get a problem:
 *
 * - 415 `unsupported-media-type` with the accepted types (RFC 9110 section 15.5.16)
 * - 413 `body-too-large`
 * - 503 `overloaded` if the process holds too many bytes
 * - 408 `request-timeout` if the body arrives slowly and other requests need its bytes
 * - 400 `malformed-json`, or 400 `invalid-request` with a pointer
 * - 400 `bad-request` if the body is incomplete or not compressed as its header says
 *
 * @example
 * app.post('/v1/books', jsonBody({ limitBytes: 64 * 1024 }), createBook);
 */
export function jsonBody(options: JsonBodyOptions = {}): RequestHandler {
  const { limitBytes = 1024 * 1024, maxDepth = 64, maxParts = 50_000, digested = () => true } = options;

  return (request, response, next) => {
    refuseOtherTypes(request);
    const { headers } = request;
    const decoder = decoderOf(headers['content-encoding']);
    const declared = Number(headers['content-length'] ?? 0);
    if (declared > limitBytes) throw tooLarge(limitBytes);
    const budget = budgetOf(response);
    const count = budget.body(response, settle); // counts received bytes, not the declared Content-Length

    if (/^100-continue$/i.test(headers.expect ?? '') && request.httpVersion !== '1.0') {
      response.shouldKeepAlive = !/(^|[\s,])close([\s,]|$)/i.test(headers.connection ?? '');
      response.writeContinue(); // only after the checks: a refused client need not send its body (RFC 9110 section 10.1.1)
    }

    let settled = false;
    let chunks: Buffer[] = [];
    let [received, decoded] = [0, 0];
    function settle(error: unknown, octets?: Buffer): void {
      if (settled) return;
      settled = true;
      chunks = []; // a held answer would keep them in memory
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
      await oneATurn.next(); // the route handles the body in another turn
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
      // If the request is complete, the end of the body or of its decoding settles it.
      if (!request.complete || !decoder) settle(null);
    });
    if (request.destroyed) settle(null);
  };
}

/**
 * SHA-256 of the body as the client meant it: its bytes after content decoding. It is part of the fingerprint that
 * belongs to an idempotency key.
 *
 * @throws Error if `jsonBody` has not read the body, or its `digested` excluded the request
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
  // JSON has no charset parameter (RFC 8259 section 11). A client that sends one must at least mean UTF-8.
  if (charset !== null && !/^utf-?8$/i.test(charset)) throw unsupported('the charset must be UTF-8');
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
  return new Problem(400, 'bad-request', 'The request cannot be read', 'the body ended early');
}

/** Names the coding in the detail, because a message of zlib, such as "incorrect header check", does not. */
function undecodable(cause: Error, coding = ''): Problem {
  const detail = `its body is not coded as ${coding.trim().toLowerCase()}: ${clipped(cause.message)}`;
  return new Problem(400, 'bad-request', 'The request cannot be read', detail, { cause });
}

function tooLarge(limitBytes: number): Problem {
  return new Problem(413, 'body-too-large', 'The body is too large', `it may have ${limitBytes} bytes at most`);
}
