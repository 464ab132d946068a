import { expect, it } from '@jest/globals';

import { eventually } from './eventually.ts';

it('repeats the assertion until it passes, and resolves with its value', async () => {
  let tries = 0;
  const value = await eventually(() => {
    tries += 1;
    expect(tries).toBe(3);
    return 'passed';
  });
  expect(value).toBe('passed');
});

it('throws the last error when the time is up', async () => {
  let tries = 0;
  const never = eventually(() => Promise.reject(new Error(`try ${(tries += 1)}`)), { timeoutMs: 30, intervalMs: 5 });
  const error = await never.catch((reason: unknown) => reason);
  expect(error).toEqual(new Error(`try ${tries}`));
  expect(tries).toBeGreaterThan(1);
});
