import { expect, it } from '@jest/globals';
import { createPutBacks } from './put-backs.ts';

function setup() {
  const warned: object[] = [];
  const putBacks = createPutBacks({ warn: (about: object) => void warned.push(about) });
  return { warned, delayMs: (id: string, type = 'mail.send') => putBacks.delayMs({ id, type }, 1) };
}

it('doubles the delay of a job each time, up to five seconds, and begins anew with each other job', () => {
  const { delayMs } = setup();
  const times = Array.from({ length: 9 }, () => delayMs('a'));
  expect(times).toEqual([50, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
  expect(delayMs('b')).toBe(50);
});

it('remembers the jobs that came last', () => {
  const { delayMs } = setup();
  for (let n = 0; n < 1_000; n += 1) delayMs(`job ${n}`);
  expect(delayMs('job 0')).toBe(100);
  delayMs('one more');
  expect([delayMs('job 0'), delayMs('job 1')]).toEqual([200, 50]);
});

it('warns once for each type', () => {
  const { delayMs, warned } = setup();
  for (const type of ['mail.send', 'mail.send', 'image.resize']) delayMs('a', type);
  expect(warned).toEqual([
    { type: 'mail.send', typeVersion: 1 },
    { type: 'image.resize', typeVersion: 1 },
  ]);
});
