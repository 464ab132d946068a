import { expect, it } from '@jest/globals';
import { UnderWay } from './under-way.ts';

it('has nothing under way at first', async () => {
  await new UnderWay().none();
});

it('resolves every waiter when the last operation ends', async () => {
  const underWay = new UnderWay();
  underWay.begin();
  underWay.begin();
  let told = 0;
  const waiting = [1, 2].map(() => underWay.none().then(() => (told += 1)));
  underWay.end();
  await new Promise(setImmediate);
  expect(told).toBe(0);
  underWay.end();
  await Promise.all(waiting);
  expect(told).toBe(2);
});

it('keeps waiting when an operation begins before the waiter resumes', async () => {
  const underWay = new UnderWay();
  underWay.begin();
  let told = false;
  const waiting = underWay.none().then(() => (told = true));
  underWay.end();
  underWay.begin();
  await new Promise(setImmediate);
  expect(told).toBe(false);
  underWay.end();
  await waiting;
});
