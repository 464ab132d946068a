import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { jobTypeName, plainText } from './identifiers.ts';

const tag = plainText(8);
const is = (text: string) => tag.safeParse(text).success;

it.each([
  ['a letter with a mark of its own', 'e\u0301'],
  ['a zero-width non-joiner, as Persian has it', 'می\u200cخواهم'],
  ['a zero-width joiner, as Sinhala has it', 'ශ්\u200dරී'],
  ['a family, joined', '👨\u200d👩\u200d👧\u200d👦'],
  ['a heart with a variation selector', '❤\ufe0f'],
  ['an ideograph with a variation selector', '葛\u{e0100}'],
  ['the flag of Scotland, in tag characters', '🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}'],
  ['Hebrew with a right-to-left mark', 'שלום\u200f!'],
  ['Arabic with an Arabic letter mark', 'نعم\u061c1'],
  ['a soft hyphen', 'Silben\u00ad1'],
  ['private use', '\ue000\u{f0000}'],
  ['an ideograph beyond the basic plane', '𠮷野家'],
  ['characters that Unicode has not assigned yet', '\u{1fbfa}\u0378'],
  ['spaces', ' a\u00a0b '],
])('%s is text', (_what, text) => {
  expect(is(text)).toBe(true);
});

it.each([
  ['NUL', 'a\0'],
  ['a tab', 'a\tb'],
  ['a line break', 'a\nb'],
  ['an escape', '\u001b[31m'],
  ['DEL', 'a\u007f'],
  ['a control of C1', 'a\u0085b'],
  ['half of a surrogate pair', 'a\ud83d'],
  ['the other half', '\ude00a'],
  ['halves in the wrong order', '\ude00\ud83d'],
  ['a line separator', 'a\u2028b'],
  ['a paragraph separator', 'a\u2029b'],
  ...[0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069].map((code) => [
    `the bidirectional control U+${code.toString(16)}`,
    `user${String.fromCodePoint(code)}nimda`.slice(0, 8),
  ]),
])('%s is refused', (_what, text) => {
  expect(tag.safeParse(text).error?.issues).toEqual([
    expect.objectContaining({ message: expect.stringMatching(/must not contain control characters/) }),
  ]);
});

it('counts characters as JSON Schema does, not halves of them', () => {
  expect(['', '𠮷'.repeat(8), '𠮷'.repeat(9), 'a'.repeat(9), 'a'.repeat(1_000_000)].map(is)).toEqual([
    ...[false, true, false, false, false],
  ]);
  const { pattern = '', ...schema } = z.toJSONSchema(tag);
  expect(schema).toMatchObject({ type: 'string', minLength: 1, maxLength: 8 });
  expect(['می\u200cخواهم', 'a\u202eb', '\ud83d'].map((text) => new RegExp(pattern, 'u').test(text))).toEqual([
    ...[true, false, false],
  ]);
});

describe("a job type's name", () => {
  it.each(['image.resize', 'image.re-size.d-2', 'spec.job', `a.${'b'.repeat(126)}`])('may be %s', (name) => {
    expect(jobTypeName.safeParse(name).success).toBe(true);
  });

  it.each<[name: string, why: RegExp]>([
    ['', /two words or more/],
    ['resize', /two words or more/],
    ['Image.resize', /two words or more/],
    ['image_resize.now', /two words or more/],
    ['image..resize', /two words or more/],
    ['image.-resize', /two words or more/],
    ['image.2d', /two words or more/],
    ['../image.resize', /two words or more/],
    ['image.resize\n', /two words or more/],
    ['image.spec', /is a test/],
    ['image.integration.run', /is a test/],
    [`a.${'b'.repeat(127)}`, /128 characters at most/],
  ])('may not be "%s"', (name, why) => {
    expect(jobTypeName.safeParse(name).error?.issues).toEqual([
      expect.objectContaining({ message: expect.stringMatching(why) }),
    ]);
  });
});
