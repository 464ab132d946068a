import { describe, expect, it } from '@jest/globals';
import { Readable } from 'node:stream';
import { PermanentError } from '@offload/worker';
import { textOf } from './csv.profile.text.ts';

/** The text of `bytes`, which arrive in pieces of `size`. */
async function read(bytes: Buffer, size = 1_000): Promise<string> {
  const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) => bytes.subarray(n * size, ++n * size));
  return Buffer.concat(await Readable.from(textOf(Readable.from(pieces))).toArray()).toString();
}

const le = (text: string) => Buffer.from(text, 'utf16le');
const be = (text: string) => le(text).swap16();

describe('a text', () => {
  const texts = ['a,b\n1,2\n', 'ä,€\r\n𝄞,2\r\n', 'Имя,Город\nИван,Москва\n', '名,城市\n上海,一\n', 'שם\tעיר\nא\tב\n'];

  it.each(texts)('in UTF-8, or UTF-16 with a mark or without, is the same: %j', async (text) => {
    for (const bytes of [Buffer.from(text), le(text), be(text)]) {
      await expect(read(bytes)).resolves.toBe(text);
    }
    for (const bytes of [Buffer.from(`\ufeff${text}`), le(`\ufeff${text}`), be(`\ufeff${text}`)]) {
      for (const size of [1, 3, 1_000]) await expect(read(bytes, size)).resolves.toBe(text);
    }
  });

  it('in UTF-16 is read to its end, also after its first part', async () => {
    const text = texts.join('').repeat(5_000);
    for (const bytes of [le(text), be(text)]) await expect(read(bytes, 10_001)).resolves.toBe(text);
  });

  it.each(['', '\ufeff', '\x1a', '\0\0\0', '\ufeff\ufeff\x1a\0', '\r\n'])('that is %j is empty', async (text) => {
    await expect(read(Buffer.from(text)).then((found) => found.trim())).resolves.toBe('');
  });

  it.each(['\x1a', '\x1a\x1a\x1a\x1a', '\0', '\0\0\0\0\0\0\0', '\x1a\0\0\0'])(
    'loses the %j at its end, and nothing like it within',
    async (marks) => {
      for (const text of ['a,b\n1,2\n', 'a,bb\n1,2', `${'a,b\n'.repeat(50)}1,"x${marks}"\n`]) {
        for (const size of [1, 2, 1_000]) await expect(read(Buffer.from(text + marks), size)).resolves.toBe(text);
        await expect(read(le(`\ufeff${text}${marks}`))).resolves.toBe(text);
      }
    },
  );

  it('has the encoding of its byte order mark, even if it looks like another', async () => {
    for (const text of [`a,b\n${'\0,\0\n'.repeat(50)}`, `ab\n${'\0\x01\n'.repeat(50)}`]) {
      for (const size of [1, 1_000]) await expect(read(Buffer.from(`\ufeff${text}`), size)).resolves.toBe(text);
      await expect(read(be(`\ufeff${text}`))).resolves.toBe(text);
    }
  });

  it('loses the byte order mark at its beginning, and none within', async () => {
    await expect(read(Buffer.from('\ufeff\ufeffa\ufeff\n\ufeff'), 1)).resolves.toBe('a\ufeff\n\ufeff');
  });

  it.each([
    ['Latin-1', Buffer.from('a\n1\n\xfc\n', 'latin1'), /^line 3: not UTF-8; save the file in that encoding$/],
    ['UTF-8 cut short', Buffer.from('a\nü').subarray(0, 3), /^line 2: not UTF-8/],
    ['UTF-16 with half a pair', le('\ufeffa\n\ud834\n'), /^line 1 or later: not UTF-16; save the file as UTF-8$/],
    ['UTF-16 cut short', le('\ufeffa\n1\n').subarray(0, 9), /^line 2 or later: not UTF-16/],
    ['UTF-32 with a mark', Buffer.from('fffe0000610000000a000000', 'hex'), /^line 1: UTF-32 is not read/],
    ['UTF-32 with a mark, big-endian', Buffer.from('0000feff000000610000000a', 'hex'), /^line 1: UTF-32 is not read/],
    [
      'UTF-32 without',
      Buffer.from('610000000a00000031000000', 'hex'),
      /^line 1: so many control characters are no text/,
    ],
    [
      'a program',
      Buffer.from('\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0'),
      /^line 1: so many control characters/,
    ],
    [
      'text with a NUL where UTF-16 would begin a line',
      Buffer.from('ab,c\n\0x,y\n1,22\n'),
      /^line 1: it may be UTF-16/,
    ],
    ['a plain header above cells of NULs', Buffer.from(`a,b\n${'\0,\0\n'.repeat(50)}`), /^line 1: it may be UTF-16/],
    ['the same, as wide as in little-endian', Buffer.from(`a,b\n${',\0\n\0'.repeat(50)}`), /^line 1: it may be UTF-16/],
    ['the same, with CRLF', Buffer.from(`ab,c\r\n${'\0,\0\r\0\n'.repeat(50)}`), /^line 1: it may be UTF-16/],
    ['a line in UTF-16 that is one in UTF-8, too', be('上\n一\n一\n'), /^line 1: it may be UTF-16/],
  ])('that is %s is permanently refused, and why', async (_title, bytes, message) => {
    await expect(read(bytes)).rejects.toThrow(PermanentError);
    await expect(read(bytes)).rejects.toThrow(message);
  });

  it('passes on the failure of its source', async () => {
    const broken = Readable.from(
      (async function* () {
        yield le('\ufeffa\n1\n');
        throw new TypeError('connection lost');
      })(),
    );
    await expect(Readable.from(textOf(broken)).toArray()).rejects.toThrow('connection lost');
  });
});
