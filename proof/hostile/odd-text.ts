import fc from 'fast-check';

const known = [
  ...['', ' ', '\0', 'a\0b', '\n', '\r\nX-Injected: yes\r\n\r\n', '\t', '\x7f', '\x1b[31m', '\u0085', '\u2028'],
  ...['\u2029', '\ud800', '\udfff', 'a\udc00\ud800b', '\ufffe', '\uffff', '\ufeff', '\ufeffa', '\u202eabc', '\u200b'],
  ...['\u00ad', 'é', 'e\u0301', 'ﬃ', 'İ', 'ß', 'K', '💩', '👩‍👩‍👧‍👦', '\u{10ffff}', 'Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A', '﷽'],
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', 'then', 'toJSON', 'length'],
  ...['null', 'undefined', 'NaN', 'true', '0', '-1', '1e309', '0x10', '[]', '{}', '"', "'", '\\', '\\u0000', '`'],
  ...["'; drop table jobs; --", '$1', '{{7*7}}', '${7*7}', '%s%n', '%00', '../../etc/passwd', '<script>', '*', '.'],
  ...['..', '2026-02-30T00:00:00Z', '0000-01-01T00:00:00Z', 'demo.sleep', 'default', 'http://[::1'],
  'file:///etc/passwd',
];

/** Text that is known to have crashed other programs. */
export const oddText = fc.oneof(
  { arbitrary: fc.constantFrom(...known), weight: 6 },
  { arbitrary: fc.string({ unit: 'binary', maxLength: 40 }), weight: 3 }, // lone surrogates and all
  { arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }), weight: 1 },
  {
    arbitrary: fc
      .tuple(fc.constantFrom('a', 'é', '💩', '\0', '"', '\\', '/', '~', ' '), fc.constantFrom(255, 256, 3_000, 70_000))
      .map(([unit, times]) => unit.repeat(times)),
    weight: 1,
  },
);

/** Bytes of a head: Latin-1 without line breaks. */
export const oddValue = fc.oneof(
  { arbitrary: fc.constantFrom(...known.map((text) => latin1(text).replace(/[\r\n\0]/g, ''))), weight: 3 },
  { arbitrary: fc.string({ maxLength: 60 }), weight: 2 },
  { arbitrary: fc.constantFrom(';', ',', '=', '"', '\\', '(', ' ', 'a').map((one) => one.repeat(6_000)), weight: 1 },
);

/** The UTF-8 bytes of a text, one character each. */
export function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/** Percent-encodes each byte. `encodeURIComponent` throws for lone surrogates. */
export function percentEncoded(text: string): string {
  return latin1(text).replace(/[^\w.~-]/g, (octet) => `%${octet.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
