import { expect, it } from '@jest/globals';
import { parseOptions } from './options.ts';

it('plays 20,000 scripts of a seed that is drawn, unless told otherwise', () => {
  expect(parseOptions([])).toEqual({ runs: 20_000, seed: expect.any(Number), only: null });
  expect(parseOptions(['--runs', '10', '--seed', '7', '--only', '3'])).toEqual({ runs: 10, seed: 7, only: 3 });
});

it.each([[['--seed', 'x']], [['--runs', '-1']], [['--what']]])('refuses %j', (args) => {
  expect(() => parseOptions(args)).toThrow(/--(seed|runs|what)/);
});
