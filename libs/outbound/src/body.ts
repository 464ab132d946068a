import type { Dispatcher } from 'undici';
import { decoded } from './codings.ts';

/** A response, which the caller may read until its `read` function returns. */
export interface OutboundResponse {
  status: number;
  /** Header fields by lower-case name. Several values of one name are joined with `, `. Without `set-cookie`. */
  headers: Record<string, string>;
  /** The `Set-Cookie` lines. They can't be joined, because their dates contain commas (RFC 9110 section 5.3). */
  setCookie: string[];
  /**
   * The body in pieces, decompressed (gzip, deflate, br, at most five in a row). Throws ResponseTooLargeError when it
   * exceeds the request's `maxBytes`.
   */
  body: AsyncIterable<Uint8Array>;
  /** Reads the whole body. Rejects as `body` throws. */
  bytes(): Promise<Uint8Array>;
}

/**
 * Decompresses the body of undici's response and limits it to `maxBytes`. Bytes are counted after decompression, which
 * cuts off a decompression bomb. Errors of reading pass through `fault`.
 */
export function readBody(
  { statusCode, headers: rawHeaders, body: raw }: Pick<Dispatcher.ResponseData, 'statusCode' | 'headers' | 'body'>,
  maxBytes: number,
  fault: (error: unknown) => unknown,
): OutboundResponse {
  const { 'set-cookie': setCookie = [], ...others } = rawHeaders;
  const headers = joined(others);
  const body = faulted(decoded(raw, codingsOf(headers), maxBytes), fault);
  return {
    status: statusCode,
    headers,
    setCookie: [setCookie].flat(),
    body,
    bytes: async () => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of body) {
        chunks.push(chunk);
      }
      return Buffer.concat(chunks);
    },
  };
}

/** The content codings, then the transfer codings, which were applied later. `chunked` is removed already. */
function codingsOf({ 'content-encoding': content = '', 'transfer-encoding': transfer = '' }: Record<string, string>) {
  return `${content},${transfer.replace(/\bchunked\s*$/i, '')}`;
}

/** Joins header values. `fromEntries` makes any name an own member, even a server's `__proto__`. */
function joined(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value ?? ''].flat().join(', ')]));
}

async function* faulted(
  body: AsyncIterable<Uint8Array>,
  fault: (error: unknown) => unknown,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw fault(error);
  }
}
