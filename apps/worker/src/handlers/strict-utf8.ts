import { isUtf8 } from 'node:buffer';
import { PermanentError } from '@offload/worker';

const LF = 0x0a;
const CR = 0x0d;

/**
 * Passes UTF-8 text on in pieces that are cut between characters.
 * @throws PermanentError with the line (ended by CRLF, LF or CR) of the first invalid byte; or the error of `source`
 */
export async function* strictUtf8(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array = new Uint8Array();
  let line = 1;
  let previous = 0;
  for await (const chunk of source) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const block = bytes.subarray(0, bytes.length - incompleteTail(bytes));
    if (!isUtf8(block)) {
      throw undecodable(line + firstBadLine(previous === CR && block[0] === LF ? block.subarray(1) : block));
    }
    for (const byte of block) {
      if (byte === CR || (byte === LF && previous !== CR)) {
        line += 1;
      }
      previous = byte;
    }
    rest = bytes.subarray(block.length);
    yield block;
  }
  if (rest.length > 0) {
    throw undecodable(line);
  }
}

function undecodable(line: number): PermanentError {
  return new PermanentError(`line ${line}: not UTF-8; save the file in that encoding`);
}

/** @returns how many bytes at the end begin an incomplete character (0 to 3) */
function incompleteTail(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] as number;
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return length > back ? back : 0;
    }
    if (byte < 0x80) {
      return 0;
    }
  }
  return 0;
}

/** @returns the index of the first line that is no UTF-8; lines can be checked alone, since no character spans them */
function firstBadLine(block: Uint8Array): number {
  const lines = Buffer.from(block)
    .toString('latin1')
    .split(/\r\n|\n|\r/);
  return lines.findIndex((line) => !isUtf8(Buffer.from(line, 'latin1')));
}
