import fc, { type Arbitrary } from 'fast-check';
import { plainBody } from './bodies.ts';
import { head, replaced, toldBy, usualFields, type Field, type Message } from './script.ts';
import type { Submissions } from './submissions.ts';

const chunked: Field = ['Transfer-Encoding', 'chunked'];
const lengthOf = (octets: Buffer): Field => ['Content-Length', String(octets.length)];

/** A body in chunks, with the given sizes, extensions, line ends and trailers. */
function inChunks(
  octets: Buffer,
  { sizes = 3, extension = '', eol = '\r\n', last = '0', trailer = '', prefix = '' },
): Buffer {
  const each = Math.max(1, Math.ceil(octets.length / sizes));
  const chunks: Buffer[] = [];
  for (let at = 0; at < octets.length; at += each) {
    const data = octets.subarray(at, at + each);
    chunks.push(
      Buffer.from(`${prefix}${data.length.toString(16)}${extension}${eol}`, 'latin1'),
      data,
      Buffer.from('\r\n'),
    );
  }
  return Buffer.concat([...chunks, Buffer.from(`${last}\r\n${trailer}\r\n`, 'latin1')]);
}

type Framing = (octets: Buffer) => { fields: Field[]; octets: Buffer };
const chunks = (fields: Field[], how: Parameters<typeof inChunks>[1] = {}): Framing => {
  return (octets) => ({ fields, octets: inChunks(octets, how) });
};

/** Framings that only a careless parser reads differently: the body is the whole content. */
const plain: Framing[] = [
  (octets) => ({ fields: [lengthOf(octets)], octets }),
  chunks([chunked]),
  chunks([chunked], { sizes: 1_000 }),
  chunks([['transfer-encoding', 'CHUNKED']]),
  chunks([chunked], { extension: ';a=b' }),
  chunks([chunked], { extension: ';a="b;c"' }),
  chunks([chunked], { trailer: 'X-A: b\r\n' }),
  chunks([chunked], { trailer: 'Host: evil\r\nAuthorization: Bearer x\r\n' }),
  chunks([chunked], { last: '000000' }),
];

/** Framings that parsers read differently, or not at all. */
const doubtful: Framing[] = [
  chunks([chunked, ['Content-Length', '5']]),
  chunks([['Content-Length', '5'], chunked]),
  (octets) => ({ fields: [lengthOf(octets), chunked], octets }),
  ...[
    ...['chunked, chunked', 'xchunked', '\x0bchunked', 'chunked;q=1', 'identity', 'gzip, chunked', 'chunked, gzip'],
    ...['', '"chunked"'],
  ].map((coding) => chunks([['Transfer-Encoding', coding]])),
  chunks([chunked, ['Transfer-Encoding', 'identity']]),
  chunks([chunked, chunked]),
  chunks([['Transfer_Encoding', 'chunked']]),
  ...[
    ...['+5', '5, 5', '5,6', '0x5', '-1', '-0', '99999999999999999999', '18446744073709551621', '5 5', '', '1e1'],
    ...['5.0', '5;', '\x0b5'],
  ].map((length): Framing => (octets) => ({ fields: [['Content-Length', length]], octets })),
  ...[-1, 1, 1_000, -1_000].map((more): Framing => (octets) => ({
    fields: [['Content-Length', String(Math.max(0, octets.length + more))]],
    octets,
  })),
  (octets) => ({ fields: [lengthOf(octets), lengthOf(octets)], octets }),
  (octets) => ({ fields: [lengthOf(octets), ['Content-Length', '0']], octets }),
  (octets) => ({ fields: [['Content-Length', '1048577']], octets }),
  (octets) => ({ fields: [], octets }),
  ...['0x', '+', '-', ' ', '\t', 'g', 'FFFFFFFFFFFFFFFF', '00000000000000000000'].map((prefix) =>
    chunks([chunked], { prefix }),
  ),
  ...['\n', '\r', ' \r\n', '\r\n\r\n', '\r\r\n'].map((eol) => chunks([chunked], { eol })),
  ...[` ;a`, ';', ';a="b', `;${'a'.repeat(5_000)}`, `;${'a'.repeat(20_000)}`, ';a=\0', ';\n', ';a\rb'].map(
    (extension) => chunks([chunked], { extension }),
  ),
  chunks([chunked], { extension: `;${'a'.repeat(900)}`, sizes: 1_000 }),
  ...['', '0 ', '-0', '0;x', '00x'].map((last) => chunks([chunked], { last })),
  ...[
    ...['Content-Length: 5\r\n', 'Transfer-Encoding: chunked\r\n', 'X\r\n', 'X: \0\r\n'],
    ...[`X: ${'a'.repeat(20_000)}\r\n`, ': x\r\n', 'X-A: b\r\n c\r\n'],
  ].map((trailer) => chunks([chunked], { trailer })),
];

const versions = [
  ...['HTTP/1.0', 'HTTP/0.9', 'HTTP/1.2', 'HTTP/2.0', 'HTTP/11', 'http/1.1', 'HTTP/1.1 ', 'HTTP/ 1.1', 'HTTPS/1.1'],
  '',
];
/** Bytes that are not HTTP/1. */
const foreign = [
  ...['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'SSH-2.0-x\r\n'],
  ...['\r\n\r\n\r\n', '\n\n', ' ', 'GET /\r\n\r\n', 'GET / HTTP/1.1\n\n', 'GET / HTTP/1.1\rHost: x\r\r', '\0\0\0\0'],
  ...['EHLO x\r\n', '{"type":"demo.sleep"}\r\n\r\n', 'GET  /healthz  HTTP/1.1\r\nHost: x\r\n\r\n'],
  ...['GET\t/healthz\tHTTP/1.1\r\n\r\n', '\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'],
];

/** Posts in every framing of a body. */
export function framed({ job }: Submissions): Arbitrary<{ make: (index: number) => Message; sound: boolean }> {
  const text = job.map((value) => JSON.stringify(value));
  const of = (framings: Framing[], sound: boolean, version?: Arbitrary<string>) =>
    fc.tuple(text, fc.constantFrom(...framings), version ?? fc.constant('HTTP/1.1')).map(([each, framing, name]) => ({
      sound,
      make: (index: number): Message => {
        const body = plainBody(each);
        const { fields, octets } = framing(body.octets);
        const all = [...replaced(usualFields(index), 'Content-Length', []), ...body.fields, ...fields];
        return {
          ...{ method: 'POST', target: '/v1/jobs', ...toldBy(all), body: { octets: body.octets, sure: sound } },
          octets: Buffer.concat([Buffer.from(head('POST', '/v1/jobs', all, name), 'latin1'), octets]),
        };
      },
    }));
  const other = fc
    .oneof(
      { arbitrary: fc.constantFrom(...foreign), weight: 3 },
      {
        arbitrary: fc
          .uint8Array({ minLength: 1, maxLength: 300 })
          .map((octets) => Buffer.from(octets).toString('latin1')),
        weight: 1,
      },
    )
    .map((raw) => ({
      sound: false,
      make: (): Message => ({
        ...{ method: 'GET', target: '', ...toldBy([]), body: null },
        octets: Buffer.from(raw, 'latin1'),
      }),
    }));
  return fc.oneof(
    { arbitrary: of(plain, true), weight: 3 },
    { arbitrary: of(doubtful, false), weight: 8 },
    { arbitrary: of(plain, false, fc.constantFrom(...versions)), weight: 1 },
    { arbitrary: other, weight: 2 },
  );
}
