import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import fc, { type Arbitrary } from 'fast-check';
import type { Asked, Field } from './script.ts';

/** A body as it is sent, with its fields. */
export interface Body {
  octets: Buffer;
  says: Asked['body'];
  fields: Field[];
}

const MIB = 1024 * 1024;
const JSON_TYPE: Field = ['Content-Type', 'application/json'];

/** Makes a body in UTF-8. */
export function plainBody(text: string): Body {
  const octets = Buffer.from(text); // lone surrogates become replacement characters; `charsets` has them
  return { octets, says: { octets, sure: true }, fields: [JSON_TYPE] };
}

/** Encodes the text in other bytes, of which only some are UTF-8. */
const charsets: Record<string, (text: string, place: number) => Buffer> = {
  'UTF-16LE': (text) => Buffer.from(text, 'utf16le'),
  'UTF-16LE with its mark': (text) => Buffer.from(`\ufeff${text}`, 'utf16le'),
  'UTF-16BE with its mark': (text) => Buffer.from(`\ufeff${text}`, 'utf16le').swap16(),
  'UTF-32LE': (text) => Buffer.from([...text].flatMap((each) => [...int32(each.codePointAt(0) ?? 0)])),
  'UTF-8 with a mark': (text) => Buffer.from(`\ufeff${text}`),
  'Latin-1': (text) => Buffer.from(text, 'latin1'),
  'overlong slash': (text, place) => within(text, place, [0xc0, 0xaf]),
  'overlong quote': (text, place) => within(text, place, [0xe0, 0x80, 0xa2]),
  'overlong NUL': (text, place) => within(text, place, [0xc0, 0x80]),
  'surrogate in UTF-8': (text, place) => within(text, place, [0xed, 0xa0, 0x80]),
  'surrogate pair in UTF-8': (text, place) => within(text, place, [0xed, 0xa0, 0xbd, 0xed, 0xb2, 0xa9]),
  'beyond Unicode': (text, place) => within(text, place, [0xf4, 0x90, 0x80, 0x80]),
  'continuation alone': (text, place) => within(text, place, [0x80]),
  'begun and not ended': (text) => Buffer.concat([Buffer.from(text), Buffer.of(0xf0, 0x9f)]),
  'NUL behind': (text) => Buffer.from(`${text}\0`),
  'control Z behind': (text) => Buffer.from(`${text}\x1a`),
};

/** Makes a body in another encoding. */
export const charsetBody = (text: Arbitrary<string>): Arbitrary<Body> =>
  fc.tuple(text, fc.constantFrom(...Object.values(charsets)), fc.nat(40)).map(([each, encode, place]) => {
    const octets = encode(each, place);
    return { octets, says: { octets, sure: true }, fields: [JSON_TYPE] };
  });

type Coder = (octets: Buffer) => Buffer;
const gzip: Coder = (octets) => gzipSync(octets, { level: 1 });
const brotli: Coder = (octets) => brotliCompressSync(octets, { params: { [constants.BROTLI_PARAM_QUALITY]: 2 } });
/** Codings with a checksum, which shows damage. */
const checked: [name: string, coder: Coder][] = [
  ['gzip', gzip],
  ['deflate', (octets) => deflateSync(octets)],
];
const coders: [name: string, coder: Coder][] = [
  ...checked,
  ['deflate', (octets) => deflateRawSync(octets)],
  ['br', brotli],
  ['GZip', gzip],
  ['identity', (octets) => octets],
];

/** Wrong names of a coding. */
const misnomers = [
  ...['gzip', 'deflate', 'br', 'zstd', 'x-gzip', 'gzip, gzip', 'gzip, identity', 'lzma', '*', 'gzip;q=1'],
  '__proto__',
];

/** Damages to coded bytes. */
const damages: Record<string, Coder> = {
  cut: (octets) => octets.subarray(0, Math.floor(octets.length / 2)),
  'cut at its last octet': (octets) => octets.subarray(0, -1),
  'first octet': (octets) => Buffer.concat([Buffer.of(0), octets.subarray(1)]),
  'one bit of the check': (octets) =>
    Buffer.concat([octets.subarray(0, -3), octets.subarray(-3).map((octet) => octet ^ 8)]),
  twice: (octets) => Buffer.concat([octets, octets]),
  'rubbish behind': (octets) => Buffer.concat([octets, Buffer.from('rubbish')]),
  empty: () => Buffer.alloc(0),
};

/** Decompression bombs: a few kilobytes that become many megabytes. */
const bombs = [
  { name: 'gzip', octets: gzip(Buffer.alloc(16 * MIB, ' ')) },
  { name: 'br', octets: brotli(Buffer.alloc(16 * MIB, '[')) },
  { name: 'deflate', octets: deflateSync(Buffer.alloc(16 * MIB, '0'), { level: 1 }) },
  { name: 'gzip', octets: gzip(gzip(Buffer.alloc(16 * MIB))) },
];

/** A body beyond the limit, which is sent completely before the answer. */
export const largeBody: Arbitrary<Body> = fc
  .tuple(
    fc.constantFrom(MIB + 1, 2 * MIB, 5 * MIB),
    fc.constantFrom(' ', '[', '\xff'),
    fc.constantFrom('application/json', 'text/xml'),
  )
  .map(([length, unit, type]) => ({
    octets: Buffer.alloc(length, unit, 'latin1'),
    says: null,
    fields: [['Content-Type', type]],
  }));

/** Makes a body with a content coding, damaged or not. */
export const codedBody = (text: Arbitrary<string>): Arbitrary<Body> => {
  const octets = text.map((each) => Buffer.from(each));
  const coded = fc.tuple(octets, fc.constantFrom(...coders)).map(([each, [name, coder]]): Body => ({
    octets: coder(each),
    says: { octets: each, sure: true },
    fields: fieldsOf(name),
  }));
  const misnamed = fc
    .tuple(octets, fc.constantFrom(...misnomers))
    .map(([each, name]): Body => ({ octets: each, says: null, fields: fieldsOf(name) }));
  const damaged = fc
    .tuple(octets, fc.constantFrom(...checked), fc.constantFrom(...Object.entries(damages)))
    .map(([each, [name, coder], [damage, spoil]]): Body => {
      const more = damage === 'twice' || damage === 'rubbish behind'; // decoders may stop after the first stream
      return {
        octets: spoil(coder(each)),
        says: more ? { octets: each, sure: false } : null,
        fields: fieldsOf(name),
      };
    });
  const bomb = fc
    .constantFrom(...bombs)
    .map(({ name, octets: each }): Body => ({ octets: each, says: null, fields: fieldsOf(name) }));
  return fc.oneof(
    { arbitrary: coded, weight: 4 },
    { arbitrary: misnamed, weight: 3 },
    { arbitrary: damaged, weight: 4 },
    { arbitrary: bomb, weight: 1 },
  );
};

const fieldsOf = (coding: string): Field[] => [JSON_TYPE, ['Content-Encoding', coding]];

/** Inserts bytes after one of the quotes of a text: inside a string, or after it. */
function within(text: string, place: number, octets: number[]): Buffer {
  const quotes = [...text.slice(0, 2_000).matchAll(/"/g)].map(({ index }) => index + 1);
  const at = quotes[place % quotes.length] ?? text.length;
  return Buffer.concat([Buffer.from(text.slice(0, at)), Buffer.from(octets), Buffer.from(text.slice(at))]);
}

function int32(code: number): Buffer {
  const octets = Buffer.alloc(4);
  octets.writeUInt32LE(code);
  return octets;
}
