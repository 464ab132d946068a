import { expect, it } from '@jest/globals';
import { parseOptions } from './options.ts';
import { LONG, SHORT } from './pace.ts';

it('is long, writes its page and draws a seed unless told otherwise', () => {
  expect(parseOptions([])).toMatchObject({ short: false, write: true, only: [], pace: LONG });
  expect(parseOptions([]).seed).toBeGreaterThan(0);
});

it('does not write its page when it is short or not whole, unless told to', () => {
  expect(parseOptions(['--short'])).toMatchObject({ short: true, write: false, pace: SHORT });
  expect(parseOptions(['--only', 'none,api', '--only', 'pools'])).toMatchObject({
    write: false,
    only: ['none', 'api', 'pools'],
  });
  expect(parseOptions(['--short', '--write', '--seed', '7', '--jobs', '20'])).toMatchObject({
    ...{ write: true, seed: 7, pace: { ...SHORT, jobs: 20 } },
  });
});

it.each([[['--seed', 'x']], [['--jobs', '-1']], [['--what']]])('refuses %j', (args) => {
  expect(() => parseOptions(args)).toThrow(/--(seed|jobs|what)/);
});
