import { describe, expect, it } from '@jest/globals';
import { Readable } from 'node:stream';
import { brotliCompressSync as br, deflateRawSync as raw, deflateSync as zlib, gzipSync as gzip } from 'node:zlib';
import { decoded } from './codings.ts';
import { ResponseTooLargeError, UnsupportedCodingError } from './errors.ts';

const plain = 'plain text, plain text';

/** Decodes `bytes`, which arrive in pieces of `size`. */
async function read(bytes: Buffer, codings: string, { size = 1_000, maxBytes = 1_000 } = {}): Promise<string> {
  const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) => bytes.subarray(n * size, ++n * size));
  return Buffer.concat(await Readable.from(decoded(Readable.from(pieces), codings, maxBytes)).toArray()).toString();
}

describe('content', () => {
  it.each([
    ['', Buffer.from(plain)],
    ['identity', Buffer.from(plain)],
    ['gzip', gzip(plain)],
    ['GZip', gzip(plain)],
    ['x-gzip', gzip(plain)],
    ['gzip', Buffer.concat([gzip('plain text, '), gzip('plain text')])],
    ['deflate', zlib(plain)],
    ['deflate', zlib(plain, { level: 0, windowBits: 9 })],
    ['deflate', raw(plain)],
    ['deflate', raw(plain, { level: 0 })],
    ['br', br(plain)],
    ['gzip, br', br(gzip(plain))],
    ['deflate,gzip', gzip(raw(plain))],
    ['gzip, deflate', zlib(gzip(plain))],
    [' , identity , gzip ,, gzip', gzip(gzip(plain))],
    ['gzip, deflate, br, deflate, gzip', gzip(raw(br(zlib(gzip(plain)))))],
  ])('coded as "%s" is decoded, in pieces of any size', async (codings, bytes) => {
    for (const size of [1, 7, 1_000]) await expect(read(bytes, codings, { size })).resolves.toBe(plain);
  });

  it.each(['zstd', 'compress', 'gzip, zstd', 'zstd, gzip', '__proto__'])(
    'with the coding "%s" is refused, the coding named',
    async (codings) => {
      const bytes = codings.endsWith('gzip') ? gzip(plain) : Buffer.from(plain);
      await expect(read(bytes, codings)).rejects.toThrow(UnsupportedCodingError);
      await expect(read(bytes, codings)).rejects.toThrow(
        /^the content coding "(zstd|compress|__proto__)" of the response is not supported$/,
      );
    },
  );

  it('with more than five codings is refused', async () => {
    const codings = Array(1_000).fill('gzip').join(', ');
    await expect(read(gzip(plain), codings)).rejects.toThrow('the response has 1000 content codings; 5 are allowed');
  });

  it.each(['gzip', 'zstd', 'gzip, br', 'deflate'])(
    'without a byte stays empty, though coded as "%s"',
    async (codings) => {
      await expect(read(Buffer.alloc(0), codings)).resolves.toBe('');
    },
  );

  it.each([
    ['gzip', gzip(Buffer.alloc(1_000_000))],
    ['deflate', raw(Buffer.alloc(1_000_000))],
    ['gzip, br', br(gzip(Buffer.alloc(1_000_000)))],
    // Members without content: the decoder reads all of them and returns no byte.
    ['gzip', Buffer.concat(Array(1_000).fill(gzip('')))],
    ['gzip, gzip', gzip(Buffer.concat(Array(1_000).fill(gzip(''))))],
  ])('that is a decompression bomb, coded as "%s", is cut off', async (codings, bytes) => {
    await expect(read(bytes, codings)).rejects.toThrow(ResponseTooLargeError);
  });

  it.each([
    ['gzip', 'gzip', Buffer.concat([gzip(plain), Buffer.from('junk')]), 'incorrect header check'],
    ['gzip', 'gzip', Buffer.from(plain), 'incorrect header check'],
    ['gzip', 'gzip', gzip(plain).fill(0, gzip(plain).length - 8), 'incorrect data check'],
    ['deflate', 'deflate', Buffer.from(plain), 'invalid stored block lengths'],
    ['deflate', 'deflate', zlib(plain, { dictionary: Buffer.from(plain) }), 'Missing dictionary'],
    ['br', 'br, gzip', gzip(plain), 'Decompression failed'],
    ['gzip', 'gzip, br', br(plain), 'incorrect header check'],
  ])('that is not coded as "%s" is refused with the name of the coding', async (coding, codings, bytes, reason) => {
    const reading = read(bytes, codings);
    await expect(reading).rejects.toThrow(UnsupportedCodingError);
    await expect(reading).rejects.toThrow(`the response is not coded as "${coding}": ${reason}`);
  });

  it.each([
    ['gzip', gzip(plain)],
    ['deflate', zlib(plain)],
    ['br', br(plain)],
  ])('coded as "%s" that breaks off is a network fault, which may be retried', async (coding, bytes) => {
    const reading = read(bytes.subarray(0, -5), coding);
    await expect(reading).rejects.not.toThrow(UnsupportedCodingError);
    await expect(reading).rejects.toThrow(`the response, coded as "${coding}", breaks off`);
  });
});
