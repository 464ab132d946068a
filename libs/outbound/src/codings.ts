import { pipeline, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import { ResponseTooLargeError, UnsupportedCodingError } from './errors.ts';

type Content = AsyncIterable<Uint8Array>;

/** The content codings of RFC 9110 section 8.4.1, each with a function that makes the decoder from the first bytes. */
const decoders = new Map<string, (first: Uint8Array) => Transform>([
  ['gzip', () => createGunzip()],
  ['x-gzip', () => createGunzip()],
  ['deflate', (first) => (hasZlibHeader(first) ? createInflate() : createInflateRaw())],
  ['br', () => createBrotliDecompress()],
]);

/** Most codings of one response, because each needs a decoder. */
const MAX_CODINGS = 5;

/**
 * Decodes content with the codings that `contentEncoding` lists, the last one first. Content without a byte is passed
 * on with any codings: answers to HEAD, 204 and 304 may list some too.
 *
 * Before each decoder, content may be ten times as long as `maxBytes`, because some servers code byte by byte. The
 * limit also stops a bomb that decodes to little but takes much CPU.
 *
 * @throws UnsupportedCodingError for an unknown coding, more than five codings, or content that is not coded so
 * @throws ResponseTooLargeError for content longer than `maxBytes`
 */
export async function* decoded(raw: Content, contentEncoding: string, maxBytes: number): AsyncGenerator<Uint8Array> {
  const names = contentEncoding.split(',').map((name) => name.trim().toLowerCase());
  const codings = names.filter((name) => name !== '' && name !== 'identity').reverse();
  let content = raw;
  for (const coding of codings) {
    const [first, all] = await peek(limited(content, 10 * maxBytes + 1_024, 'before it is decoded'));
    if (first === undefined) return;
    const decoder = decoders.get(coding);
    if (decoder === undefined || codings.length > MAX_CODINGS) {
      const fault =
        decoder === undefined
          ? `the content coding "${coding.slice(0, 100)}" of the response is not supported`
          : `the response has ${codings.length} content codings; ${MAX_CODINGS} are allowed`;
      throw new UnsupportedCodingError(fault);
    }
    // The iterator throws the errors of both sides, so the callback ignores them.
    content = named(
      pipeline(all, decoder(first), () => undefined),
      coding,
    );
  }
  yield* limited(content, maxBytes);
}

/**
 * Error codes of zlib and Brotli for malformed content. Truncated content is not among them: the server may have died.
 */
const contentFaults = /^(Z_(DATA|STREAM)_ERROR|Z_NEED_DICT|ERR__ERROR_)/;

/** Adds the name of the coding to zlib's messages, which lack it. */
async function* named(content: Content, coding: string): AsyncGenerator<Uint8Array> {
  try {
    yield* content;
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (contentFaults.test(code)) {
      throw new UnsupportedCodingError(`the response is not coded as "${coding}": ${message}`, { cause: error });
    }
    if (code === 'Z_BUF_ERROR') throw new Error(`the response, coded as "${coding}", breaks off`, { cause: error });
    throw error;
  }
}

/** Whether deflate content has the wrapper of RFC 1950. Some servers omit it; bare content never begins like one. */
function hasZlibHeader([first = 0]: Uint8Array): boolean {
  return (first & 0x8f) === 0x08;
}

/** @returns the first bytes, undefined where there are none, and the whole content */
async function peek(content: AsyncGenerator<Uint8Array>): Promise<[Uint8Array | undefined, Content]> {
  const { value: first, done } = await content.next();
  if (done) return [undefined, content];
  async function* all() {
    yield first;
    yield* content;
  }
  return [first, all()];
}

async function* limited(content: Content, maxBytes: number, when = ''): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const chunk of content) {
    length += chunk.length;
    if (length > maxBytes)
      throw new ResponseTooLargeError(`the response is longer than ${maxBytes} bytes ${when}`.trim());
    yield chunk;
  }
}
