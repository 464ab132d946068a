import type { Dispatcher } from 'undici';
import { decoded } from './codings.ts';

/** A response while it is being read. */
export interface OutboundResponse {
  status: number;
  /** Names in lower case; several values of one name joined with `, `. Without `set-cookie`. */
  headers: Record<string, string>;
  /** Each `Set-Cookie` line: there is a comma in the date of most, so they can't be joined (RFC 9110 section 5.3). */
  setCookie: string[];
  /**
   * The body piece by piece, decompressed (gzip, deflate, br, any five on top of each other); throws once it exceeds
   * the request's `maxBytes`.
   */
  body: AsyncIterable<Uint8Array>;
  /** The whole body. */
  bytes(): Promise<Uint8Array>;
}

/**
 * Presents undici's response with its body decompressed and limited to `maxBytes`, counted after decompression so that
 * a bomb is cut off too. Failures while reading pass through `fault`.
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

/** Those of the content, then those of its transfer, which were put on later; `chunked` is off already. */
function codingsOf({ 'content-encoding': content = '', 'transfer-encoding': transfer = '' }: Record<string, string>) {
  return `${content},${transfer.replace(/\bchunked\s*$/i, '')}`;
}

/** Names are a server's to choose, `__proto__` among them: `fromEntries` makes each a member of its own. */
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
