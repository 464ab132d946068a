import { describe, expect, it } from '@jest/globals';
import { waitSeconds } from './prefer.ts';

describe('waitSeconds', () => {
  it.each([
    ['wait=10', 10],
    ['wait=0', 0],
    ['wait=007', 7],
    ['Wait = 10', 10],
    ['wait="10"', 10],
    [String.raw`wait="1\0"`, 10],
    ['wait=10;', 10],
    ['wait=10; strictly="a, wait=1"', 10],
    ['respond-async, wait=10', 10],
    ['handling=lenient;wait=1 ,\twait=10', 10],
    ['note="wait=1, wait=2; \\", wait=3", wait=10', 10],
    [', , wait=10,', 10],
    ['wait=10, wait=20', 10],
    ['wait=60', 60],
    ['wait=61', 60],
    [`wait=${'9'.repeat(400)}`, 60],
  ])('finds the seconds in %j', (prefer, seconds) => expect(waitSeconds(prefer)).toBe(seconds));

  it.each([
    undefined,
    '',
    'respond-async',
    'return=representation; wait=10',
    'await=10',
    'wait 10',
    '"wait"=10',
    'note="wait=10',
    'note="\\", wait=10',
  ])('finds no preference to wait in %j', (prefer) => expect(waitSeconds(prefer)).toBeNull());

  it.each(['wait', 'wait=', 'wait=""', 'wait=-1', 'wait=1.5', 'wait=1e1', 'wait=+1', 'wait=1 0', 'wait=1=0', 'wait=٣'])(
    'ignores %j, and what comes after it under the same name',
    (prefer) => expect([waitSeconds(prefer), waitSeconds(`${prefer}, wait=10`)]).toEqual([null, null]),
  );

  it.each([
    ['commas', ','],
    ['quotes', '"'],
    ['spaces', ' '],
    ['escapes in quotes', '\\"'],
    ['preferences', 'a=b;c,'],
    ['equals signs', 'wait = '],
  ])('takes linear time for a long row of %s', (_what, piece) => {
    // A megabyte; quadratic time would be minutes.
    const before = performance.now();
    for (const start of ['', 'a="', 'wait=', 'wait']) waitSeconds(start + piece.repeat(1_000_000 / piece.length) + 'x');
    expect(performance.now() - before).toBeLessThan(5_000);
  });
});
