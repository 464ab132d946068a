import { expect, it } from '@jest/globals';

import { readStartOptions } from './start-options.ts';

it('starts two workers and two notifiers on the data of the last run unless told otherwise', () => {
  expect(readStartOptions([])).toEqual({ workers: 2, notifiers: 2, fresh: false });
  const options = ['--workers', '4', '--notifiers=3', '--fresh'];
  expect(readStartOptions(options)).toEqual({ workers: 4, notifiers: 3, fresh: true });
  expect(readStartOptions(['--help'])).toBe('help');
});

it.each([
  [['--workers', 'two'], '--workers must be a whole number from 0 to 50, not "two"'],
  [['--notifiers', '0'], '--notifiers must be a whole number from 1 to 50, not "0"'],
  [['--wrkers', '2'], "Unknown option '--wrkers'"],
])('names the option at fault in %j', (args, message) => {
  expect(() => readStartOptions(args)).toThrow(message);
});
