import { isUtf8 } from 'node:buffer';
import { PermanentError } from '@offload/worker';
import { strictUtf8 } from './strict-utf8.ts';

type Bytes = AsyncIterable<Uint8Array>;
type Utf16 = 'utf-16le' | 'utf-16be';

/** How much of the file is read to detect the encoding, in bytes. */
const HEAD_BYTES = 65_536;

const NUL = 0x00;
const CTRL_Z = 0x1a;
const BYTE_ORDER_MARK = '\ufeff';

/**
 * Decodes the text of a file to UTF-8. Removes marks of old systems at both ends: byte order marks, Ctrl-Z (the end of
 * a text in CP/M and DOS), and NULs that fill the last block.
 *
 * A byte order mark decides the encoding. A file without a mark is UTF-16 if it has NULs, has lines when it is read as
 * UTF-16, and is no readable UTF-8. Readable UTF-8 is valid, and not full of control characters from its first line on.
 * All other files must be UTF-8.
 * @throws PermanentError with the line, if the encoding is neither, or may be both; or the error of `source`
 */
export async function* textOf(source: Bytes): AsyncGenerator<Uint8Array> {
  const { head, all } = await takeHead(source, HEAD_BYTES);
  const encoding = encodingOf(head);
  yield* withoutMarks(encoding === 'utf-8' ? strictUtf8(all) : fromUtf16(all, encoding));
}

/** Reads at least `bytes` of `source`, or the whole source. `all` begins with these bytes, and can be read once. */
export async function takeHead(source: Bytes, bytes: number): Promise<{ head: Buffer; isWhole: boolean; all: Bytes }> {
  const rest = source[Symbol.asyncIterator]();
  const chunks: Uint8Array[] = [];
  let missing = bytes;
  let next = await rest.next();
  while (!next.done) {
    chunks.push(next.value);
    missing -= next.value.length;
    if (missing <= 0) break;
    next = await rest.next();
  }
  const isWhole = next.done === true;
  async function* all() {
    yield* chunks;
    if (!isWhole) yield* { [Symbol.asyncIterator]: () => rest };
  }
  return { head: Buffer.concat(chunks), isWhole, all: all() };
}

function encodingOf(head: Buffer): 'utf-8' | Utf16 {
  const first = head.toString('hex', 0, 4);
  if (first === 'fffe0000' || first === '0000feff') throw refused('UTF-32 is not read');
  if (first.startsWith('fffe')) return 'utf-16le';
  if (first.startsWith('feff')) return 'utf-16be';
  if (first.startsWith('efbbbf')) return 'utf-8';
  const text = head.subarray(0, endOfText(head));
  if (!text.includes(NUL)) return 'utf-8';
  const controls = text.filter((byte) => byte < 0x20 && !'\t\r\n'.includes(String.fromCharCode(byte))).length;
  const utf16 = (['utf-16le', 'utf-16be'] as const).find((encoding) => hasLines(head, encoding));
  if (utf16 === undefined && controls > text.length / 8) throw refused('so many control characters are no text');
  if (utf16 === undefined) return 'utf-8';
  if (!isUtf8(text.subarray(0, text.lastIndexOf(NUL)))) return utf16;
  if (controls > text.length / 4 && !beginsWithPlainLine(text)) return utf16;
  if (controls < text.length / 32) return 'utf-8';
  throw refused('it may be UTF-16 without a byte order mark, or UTF-8 with NULs');
}

/** Whether the text has a line end with NULs, as in UTF-16. */
function beginsWithPlainLine(text: Buffer): boolean {
  return /^[\r\n]*[^\0\r\n]+[\r\n]/.test(text.toString('latin1'));
}

function hasLines(head: Uint8Array, encoding: Utf16): boolean {
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(head, { stream: true });
    return /[\r\n]/.test(text) && !/\0[^\0\x1a]/.test(text);
  } catch {
    return false;
  }
}

async function* fromUtf16(source: Bytes, encoding: Utf16): AsyncGenerator<Uint8Array> {
  const decoder = new TextDecoder(encoding, { fatal: true });
  let line = 1;
  try {
    for await (const chunk of source) {
      const text = decoder.decode(chunk, { stream: true });
      line += text.split(/\r\n|\n|\r/).length - 1;
      yield Buffer.from(text);
    }
    decoder.decode();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_ENCODING_INVALID_ENCODED_DATA') throw error;
    throw new PermanentError(`line ${line} or later: not UTF-16; save the file as UTF-8`, { cause: error });
  }
}

async function* withoutMarks(text: Bytes): AsyncGenerator<Uint8Array> {
  let isBegun = false;
  /** Bytes that may be marks of old systems: they are passed on only when other text follows. */
  let held: Uint8Array[] = [];
  for await (const piece of text) {
    let chunk = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
    while (!isBegun && chunk.indexOf(BYTE_ORDER_MARK) === 0) chunk = chunk.subarray(3);
    if (chunk.length === 0) continue;
    isBegun = true;
    const end = endOfText(chunk);
    if (end > 0) {
      yield* held;
      yield chunk.subarray(0, end);
      held = [];
    }
    held.push(chunk.subarray(end));
  }
}

/** @returns where the marks of old systems at the end begin */
function endOfText(bytes: Uint8Array): number {
  return bytes.findLastIndex((byte) => byte !== NUL && byte !== CTRL_Z) + 1;
}

function refused(why: string): PermanentError {
  return new PermanentError(`line 1: ${why}; save the file as UTF-8`);
}
