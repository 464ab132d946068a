import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Problem } from './problem.ts';
import { parseStrictJson } from './strict-json.ts';

const parse = (text: string | Buffer, maxDepth = 64): unknown => parseStrictJson(Buffer.from(text), maxDepth, 1_000);

function refusal(text: string | Buffer, maxDepth?: number) {
  try {
    parse(text, maxDepth);
  } catch (error) {
    const { status, slug, message, errors } = error as Problem;
    return { status, slug, message, errors, pointer: (errors?.[0] as { pointer?: string } | undefined)?.pointer };
  }
  throw new Error('it was accepted');
}

describe('text that JSON.stringify prints', () => {
  const name = fc.string({ unit: 'grapheme', maxLength: 8 }).filter((each) => each !== '__proto__');
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'medium', withCrossShrink: true },
      fc.constantFrom(null, true, false, '', '"', '\\', '{"a":1,"a":2}', '[', 1.5e300, -1e-7),
      fc.string({ unit: 'binary' }),
      fc.double({ noDefaultInfinity: true, noNaN: true }),
      fc.integer(),
      fc.array(tie('value'), { maxLength: 5 }),
      fc.dictionary(name, tie('value'), { maxKeys: 5 }),
    ),
  }));
  const space = fc.constantFrom(undefined, 1, '\t', ' \n');

  it('is accepted, and parsed as JSON.parse does', () => {
    fc.assert(
      fc.property(value, space, (given, indent) => {
        const text = JSON.stringify(given, null, indent);
        expect(parse(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('is refused with a duplicate member, and the pointer names that member', () => {
    const path = fc.array(fc.oneof(name, fc.nat(3)), { maxLength: 6 });
    const spelling = fc.constantFrom(JSON.stringify, escapedThroughout);
    fc.assert(
      fc.property(path, name, spelling, value, value, (steps, doubled, spell, one, two) => {
        const members = [
          [JSON.stringify(`${doubled}-`), one],
          [JSON.stringify(doubled), two],
          [spell(doubled), 0],
        ].map(([key, of]) => `${key} : ${JSON.stringify(of)}`);
        const text = steps.reduceRight<string>(within, `{${members.join(',')}}`);
        const pointer = [...steps, doubled].map((step) => `/${escapePointer(String(step))}`).join('');
        expect(refusal(text)).toMatchObject({ status: 400, slug: 'invalid-request', pointer });
      }),
    );
  });
});

function escapedThroughout(text: string): string {
  const units = Array.from({ length: text.length }, (_, at) => text.charCodeAt(at).toString(16).padStart(4, '0'));
  return `"${units.map((unit) => `\\u${unit}`).join('')}"`;
}

/** JSON with `inner` as an item of an array, or as a member of an object. */
function within(inner: string, step: string | number): string {
  return typeof step === 'string' ? `{${JSON.stringify(step)}:${inner}}` : `[${'{"x":[]},'.repeat(step)}${inner}]`;
}

function escapePointer(step: string): string {
  return step.replaceAll('~', '~0').replaceAll('/', '~1');
}

it('parses any text as JSON.parse does, unless it refuses the text for another reason', () => {
  const piece = fc.constantFrom(...'{}[]:,"\\01e.-+ \n', 'true', 'null', '"a":', '"\\u0061":', '\\u00', '1e999');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join('');
      let read: unknown;
      try {
        read = parse(text);
      } catch (error) {
        if ((error as Problem).slug === 'malformed-json') expect(() => JSON.parse(text)).toThrow(SyntaxError);
        else expect(error).toMatchObject({ slug: 'invalid-request' });
        return;
      }
      expect(read).toEqual(JSON.parse(text));
    }),
    { numRuns: 2_000 },
  );
});

it.each([
  ['{"a":1,"a":2}', '/a'],
  ['{"a":1,"\\u0061":2}', '/a'],
  ['[0,{"a":{"b":[],"c":1,"b":2}}]', '/1/a/b'],
  ['{"":1,"":2}', '/'],
  ['{"a/b~":1,"a\\/b~":2}', '/a~1b~0'],
])('points to the member that %s has twice', (text, pointer) => {
  expect(refusal(text)).toMatchObject({ slug: 'invalid-request', pointer, message: `${pointer}: is there twice` });
});

it('lets members of different objects have the same name', () => {
  const text = '{"a":{"a":[{"a":1},{"a":1}]},"b":{"a":"a"}}';
  expect(parse(text)).toEqual(JSON.parse(text));
});

it.each(['{"__proto__":{"admin":true}}', '{"\\u005f_proto__":1}'])('refuses the member of %s', (text) => {
  expect(refusal(`{"list":[0,${text}]}`)).toMatchObject({ slug: 'invalid-request', pointer: '/list/1/__proto__' });
  expect(parse('["__proto__", {"a":"__proto__"}]')).toHaveLength(2); // only as a name
});

it('counts the levels of arrays and objects', () => {
  expect(parse('[{"a":[]},[[]]]', 3)).toBeDefined();
  expect(refusal('[{"a":[]},[[[]]]]', 3)).toMatchObject({ slug: 'invalid-request', pointer: '/1/0/0' });
  expect(refusal('['.repeat(500_000))).toMatchObject({ slug: 'invalid-request' });
  expect(refusal('{"a":'.repeat(200_000))).toMatchObject({ slug: 'invalid-request' });
});

it('shortens a long pointer to the last array or object that fits', () => {
  const long = 'x'.repeat(1_000);
  expect(refusal(`{"a":{"${long}":{"b":1,"b":2}}}`).pointer).toBe('/a');
});

it.each([
  ['arrays', '[[],[]]'],
  ['objects', '[{},{}]'],
  ['members', '{"a":1,"b":2}'],
  ['all of them', '[{"b":0}]'],
])('refuses too many %s, but not many numbers', (_what, text) => {
  const parsed = (most: number) => parseStrictJson(Buffer.from(text), 64, most);
  expect(parsed(3)).toEqual(JSON.parse(text));
  expect(() => parsed(2)).toThrow('the body: has more than 2 members, arrays and objects');
  expect(parse(JSON.stringify(Array(5_000).fill(1)))).toHaveLength(5_000);
});

it.each(['1e309', '-1e400', '9E+308', `1${'0'.repeat(309)}`])(
  'refuses %.10s, which JSON.parse turns into Infinity',
  (text) => {
    expect(refusal(`{"a":[0,${text}]}`)).toMatchObject({
      pointer: '/a/1',
      message: '/a/1: is a number beyond what a double holds',
    });
  },
);

it.each([
  ['an empty body', ''],
  ['white space', ' \n'],
  ['half of a string', '"abc'],
  ['half of an escape', '{"\\u00":1}'],
  ['too many brackets', '{}]'],
  ['a trailing comma', '[1,]'],
  ['a comment', '// no\n1'],
  ['NaN', 'NaN'],
  ['UTF-16', Buffer.from('{}', 'utf16le')],
  ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
])('refuses as malformed: %s', (_what, text) => {
  expect(refusal(text)).toMatchObject({ status: 400, slug: 'malformed-json', errors: undefined });
});

describe('a byte order mark', () => {
  it('before JSON is ignored', () => {
    expect(['\ufeff{"a":[1]}', '\ufeff\n "ä"', '\ufeffnull'].map((text) => parse(text))).toEqual([
      { a: [1] },
      'ä',
      null,
    ]);
  });

  it('within a string is part of it', () => {
    expect(parse('\ufeff{"\ufeffa":"\ufeff"}')).toEqual({ '\ufeffa': '\ufeff' });
  });

  it.each([
    ['twice', '\ufeff\ufeff{}'],
    ['with nothing behind it', '\ufeff'],
    ['behind a space', ' \ufeff{}'],
    ['in the middle', '{\ufeff}'],
    ['cut short', Buffer.from([0xef, 0xbb, 0x7b, 0x7d])],
    ['of UTF-16, little-endian', Buffer.from('\ufeff{}', 'utf16le')],
    ['of UTF-16, big-endian', Buffer.from('\ufeff{}', 'utf16le').swap16()],
    ['of UTF-32', Buffer.from([0, 0, 0xfe, 0xff, 0, 0, 0, 0x7b, 0, 0, 0, 0x7d])],
  ])('%s is malformed', (_what, text) => {
    expect(refusal(text)).toMatchObject({ status: 400, slug: 'malformed-json' });
  });

  it('does not hide a member __proto__', () => {
    expect(refusal('\ufeff{"a":1,"a":2}')).toMatchObject({ slug: 'invalid-request', pointer: '/a' });
  });
});
