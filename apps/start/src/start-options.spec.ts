import { expect, it } from '@jest/globals';

import { readStartOptions } from './start-options.ts';

it('starts two workers and two notifiers on the data of the last run by default', () => {
  const two = [undefined, undefined];
  expect(readStartOptions([])).toEqual({ workers: two, notifiers: 2, fresh: false, watch: false });
  const options = ['--workers', '1', '--notifiers=3', '--fresh', '--watch'];
  expect(readStartOptions(options)).toEqual({ workers: [undefined], notifiers: 3, fresh: true, watch: true });
  expect(readStartOptions(['--help'])).toBe('help');
});

it('reads the number of workers of each queue', () => {
  expect(readStartOptions(['--workers', 'documents=2,default=1,mail=0'])).toMatchObject({
    workers: ['documents', 'documents', 'default'],
  });
});

it.each([
  [['--workers', 'two'], '--workers must be a whole number from 0 to 50, not "two"'],
  [['--workers', 'mail=two'], '--workers mail= must be a whole number from 0 to 50, not "two"'],
  [['--workers', 'mail=1,2'], '--workers 2= must be a whole number from 0 to 50, not ""'],
  [['--workers', '=2'], '--workers must name a queue before "=", as in documents=2, not "=2"'],
  [['--workers', 'a=30,b=21'], '--workers must be 50 at most, not 51'],
  [['--notifiers', '0'], '--notifiers must be a whole number from 1 to 50, not "0"'],
  [['--wrkers', '2'], "Unknown option '--wrkers'"],
])('names the wrong option in %j', (args, message) => {
  expect(() => readStartOptions(args)).toThrow(message);
});
