import { expect, it } from '@jest/globals';
import { traceparent } from './traceparent.ts';

const ids = '0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331';

it.each([
  [`00-${ids}-01`, `00-${ids}-01`],
  [`cc-${ids}-01`, `00-${ids}-01`],
  [`cc-${ids}-01-what-the-future-will-be-like`, `00-${ids}-01`],
  [undefined, null],
  ['', null],
  [`00-${ids}-01-more`, null],
  [`ff-${ids}-01`, null],
  [`00-${ids.toUpperCase()}-01`, null],
  [`00-${'0'.repeat(32)}-b7ad6b7169203331-01`, null],
  [`00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`, null],
  [`cc-${ids}-01${'x'.repeat(1_000)}`, null],
])('reads %s as %s', (field, expected) => {
  expect(traceparent(field)).toBe(expected);
});
