import { pipeline, type Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { Dispatcher } from 'undici';
import { ResponseTooLargeError } from './errors.ts';
import type { OutboundResponse } from './outbound.ts';

/** RFC 9110 section 8.4.1. Any other coding stays as it is: `content-encoding` tells the reader. */
const decoders = new Map<string, () => Transform>([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
]);

/**
 * Presents undici's response with its body decompressed and limited to `maxBytes`, counted after decompression so that
 * a bomb is cut off too. Failures while reading pass through `fault`.
 */
export function readBody(
  { statusCode, headers: rawHeaders, body: raw }: Pick<Dispatcher.ResponseData, 'statusCode' | 'headers' | 'body'>,
  maxBytes: number,
  fault: (error: unknown) => unknown,
): OutboundResponse {
  const headers = joined(rawHeaders);
  const body = limited(decoded(raw, headers['content-encoding']), maxBytes, fault);
  return {
    status: statusCode,
    headers,
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

function joined(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value ?? ''].flat().join(', ')]));
}

/** Zlib calls a body without a single byte broken off; RFC 9110 allows a coding on it (HEAD, 204, 304). */
async function* decoded(raw: Readable, encoding = ''): AsyncGenerator<Uint8Array> {
  const decoder = decoders.get(encoding.trim().toLowerCase())?.();
  if (decoder === undefined) {
    yield* raw;
    return;
  }
  let sent = 0;
  raw.on('data', (chunk: Uint8Array) => (sent += chunk.length));
  try {
    // The iterator throws what went wrong on either side; the callback has nothing to add.
    yield* pipeline(raw, decoder, () => undefined);
  } catch (error) {
    if (sent > 0 || !raw.readableEnded) {
      throw error;
    }
  }
}

async function* limited(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
  fault: (error: unknown) => unknown,
): AsyncGenerator<Uint8Array> {
  let length = 0;
  try {
    for await (const chunk of body) {
      length += chunk.length;
      if (length > maxBytes) {
        throw new ResponseTooLargeError(`the response is longer than ${maxBytes} bytes`);
      }
      yield chunk;
    }
  } catch (error) {
    throw fault(error);
  }
}
