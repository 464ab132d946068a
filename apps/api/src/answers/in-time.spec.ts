import { expect, it } from '@jest/globals';
import { createInTime } from './in-time.ts';

/** An answer that comes when the test says so. */
function later<Value>() {
  let come: (value: Value) => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const promise = new Promise<Value>((resolve, reject) => ([come, fail] = [resolve, reject]));
  return { promise, come, fail };
}

it('gives the answer that comes soon, and its fault', async () => {
  const inTime = createInTime({ patienceMs: 60_000 });
  expect(
    await inTime(
      async () => 'counted',
      () => 'about',
    ),
  ).toBe('counted');
  const away = new Error('away');
  await expect(
    inTime(
      () => Promise.reject(away),
      () => 'about',
    ),
  ).rejects.toBe(away);
  expect(
    await inTime(
      async () => 'counted',
      () => 'about',
    ),
  ).toBe('counted');
});

it('does not wait for a late answer, nor ask again until ten times its duration has passed', async () => {
  let time = 0;
  let asked = 0;
  const inTime = createInTime({ patienceMs: 0, now: () => time });
  const slow = later<string>();
  const ask = (answer: Promise<string>) =>
    inTime(
      () => ((asked += 1), answer),
      () => 'about',
    );
  expect(await ask(slow.promise)).toBe('about');
  expect(await Promise.all([ask(slow.promise), ask(slow.promise)])).toEqual(['about', 'about']);
  time = 500;
  slow.come('late');
  await slow.promise;
  await new Promise((resolve) => setImmediate(resolve));
  time = 5_499;
  expect(await ask(Promise.resolve('counted'))).toBe('about');
  expect(asked).toBe(1);
  time = 5_500;
  expect(await ask(Promise.resolve('counted'))).toBe('counted');
  expect(asked).toBe(2);
});

it('asks again some time after a late failure', async () => {
  let time = 0;
  const inTime = createInTime({ patienceMs: 0, now: () => time });
  const slow = later<string>();
  expect(
    await inTime(
      () => slow.promise,
      () => 'about',
    ),
  ).toBe('about');
  time = 10;
  slow.fail(new Error('away'));
  await new Promise((resolve) => setImmediate(resolve));
  time = 110;
  expect(
    await inTime(
      async () => 'counted',
      () => 'about',
    ),
  ).toBe('counted');
});
