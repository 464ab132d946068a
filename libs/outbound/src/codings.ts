import { pipeline, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import { ResponseTooLargeError, UnsupportedCodingError } from './errors.ts';

type Content = AsyncIterable<Uint8Array>;

/** The content codings of RFC 9110 section 8.4.1; a decoder is made for content that begins with `first`. */
const decoders = new Map<string, (first: Uint8Array) => Transform>([
  ['gzip', () => createGunzip()],
  ['x-gzip', () => createGunzip()],
  ['deflate', (first) => (hasZlibHeader(first) ? createInflate() : createInflateRaw())],
  ['br', () => createBrotliDecompress()],
]);

/** Most codings on one response: each costs a decoder. */
const MAX_CODINGS = 5;

/**
 * Takes the codings off that `contentEncoding` lists, the last one first. Content without a byte is passed on
 * with any codings: answers to HEAD, 204 and 304 may name some too.
 *
 * Before each decoder, content may be ten times as long as `maxBytes`: some servers code byte by byte, and a bomb
 * need not come out long to keep the CPU busy.
 * @throws UnsupportedCodingError for a coding that is not known, more than five, or content that is not coded so
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
          : `the response has ${codings.length} content codings, and ${MAX_CODINGS} are the most`;
      throw new UnsupportedCodingError(fault);
    }
    // The iterator throws what went wrong on either side; the callback has nothing to add.
    content = named(
      pipeline(all, decoder(first), () => undefined),
      coding,
    );
  }
  yield* limited(content, maxBytes);
}

/** What zlib and Brotli say of content, but for that it breaks off: that may be a server that has died. */
const contentFaults = /^(Z_(DATA|STREAM)_ERROR|Z_NEED_DICT|ERR__ERROR_)/;

/** zlib's messages don't say what they are about. */
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

/**
 * Some servers send what RFC 1950 wraps bare. Bare content never begins so: it would be a stored block with a stray
 * bit.
 */
function hasZlibHeader([first = 0]: Uint8Array): boolean {
  return (first & 0x8f) === 0x08;
}

/** @returns the first bytes, undefined where there are none, and all of the content */
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
