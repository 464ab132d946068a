import { expect, it } from '@jest/globals';
import { Readable } from 'node:stream';
import { PermanentError } from '@offload/worker';
import { strictUtf8 } from './strict-utf8.ts';

/** Everything that comes out for `bytes`, handed over in pieces of `size`. */
async function passed(bytes: Uint8Array, size: number): Promise<string> {
  const pieces: Uint8Array[] = [];
  for (let from = 0; from < bytes.length; from += size) {
    pieces.push(bytes.subarray(from, from + size));
  }
  return Buffer.concat(await Readable.from(strictUtf8(Readable.from(pieces))).toArray()).toString();
}

const text = 'a,ü,€\n1,𝄞,\u0000\r\n\ufeff,,\n';

it.each([1, 2, 3, 4, 5, 100])('passes text on unchanged, in pieces of %d', async (size) => {
  await expect(passed(Buffer.from(text), size)).resolves.toBe(text);
});

it.each([1, 2, 3, 4, 5, 100])('names the line of what is not UTF-8, in pieces of %d', async (size) => {
  for (const bad of [[0xff], [0xc3, 0x28], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x82]]) {
    const bytes = Buffer.concat([Buffer.from('a\r\nü\rc\n𝄞\r\nd,'), Buffer.from(bad), Buffer.from('\nlast\n')]);
    await expect(passed(bytes, size)).rejects.toThrow(PermanentError);
    await expect(passed(bytes, size)).rejects.toThrow(/^line 5: not UTF-8/);
  }
});

it('names the last line when the text breaks off within a character', async () => {
  await expect(passed(Buffer.from([0x61, 0x0a, 0xe2, 0x82]), 100)).rejects.toThrow(/^line 2: not UTF-8/);
});
