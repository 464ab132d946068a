import { expect, it } from '@jest/globals';
import { checkedRequest } from './request.ts';

/** The shortest of several runs, in milliseconds, which other work on the machine disturbs least. */
function leastMs(work: () => unknown): number {
  const runs = Array.from({ length: 5 }, () => {
    const begin = performance.now();
    work();
    return performance.now() - begin;
  });
  return Math.min(...runs);
}

it('checks 40,000 headers in linear time: comparing all with all takes a hundred times as long as JSON', () => {
  const headers = Object.fromEntries(Array.from({ length: 40_000 }, (_, n) => [`x-${n}`, 'y']));
  const check = () => checkedRequest({ url: 'http://example.com/', headers });
  const print = () => JSON.parse(JSON.stringify(headers));
  expect(leastMs(check)).toBeLessThan(20 * leastMs(print));
});
