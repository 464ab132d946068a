import { expect, it } from '@jest/globals';
import { DatabaseUnavailableError } from '@offload/database';
import { createFewAtOnce, createOneForEach } from './few-at-once.ts';

it('runs two actions at once, and the others in the order of the calls, also after a failure', async () => {
  const few = createFewAtOnce(2);
  const begun: number[] = [];
  const ends: ((fault?: Error) => void)[] = [];
  const acts = [0, 1, 2, 3].map((number) =>
    few(() => {
      begun.push(number);
      return new Promise<number>((resolve, reject) => {
        ends[number] = (fault) => (fault ? reject(fault) : resolve(number));
      });
    }),
  );
  const outcomes = Promise.allSettled(acts);
  expect(begun).toEqual([0, 1]);
  ends[1]?.(new Error('no'));
  await expect(acts[1]).rejects.toThrow('no');
  await Promise.resolve();
  expect(begun).toEqual([0, 1, 2]);
  ends[0]?.();
  ends[2]?.();
  await acts[2];
  await Promise.resolve();
  expect(begun).toEqual([0, 1, 2, 3]);
  ends[3]?.();
  expect((await outcomes).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
  expect(await few(() => Promise.resolve('idle again'))).toBe('idle again');
});

it('rejects waiting calls when the database is away, and runs later calls', async () => {
  const few = createFewAtOnce(2);
  const begun: number[] = [];
  const ends: ((fault: Error) => void)[] = [];
  const acts = [0, 1, 2, 3, 4].map((number) =>
    few(() => {
      begun.push(number);
      return new Promise<number>((_resolve, reject) => (ends[number] = reject));
    }),
  );
  const outcomes = Promise.allSettled(acts);
  const away = new DatabaseUnavailableError();
  ends[1]?.(away);
  await expect(acts[4]).rejects.toBe(away);
  expect(begun).toEqual([0, 1]);
  const later = few(() => Promise.resolve('there again')); // in the place of the one that failed
  expect(await later).toBe('there again');
  ends[0]?.(away);
  expect((await outcomes).map(({ status }) => status)).toEqual(Array(5).fill('rejected'));
});

it('runs actions on one key one after the other, and actions on other keys meanwhile', async () => {
  const oneForEach = createOneForEach();
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const acts = ['a', 'a', 'b', 'a'].map((key, number) =>
    oneForEach(key, () => {
      begun.push(`${key}${number}`);
      return new Promise<void>((resolve) => (ends[number] = resolve));
    }),
  );
  expect(begun).toEqual(['a0', 'b2']);
  for (const number of [0, 1, 3]) {
    ends[number]?.();
    await acts[number];
    await Promise.resolve();
  }
  expect(begun).toEqual(['a0', 'b2', 'a1', 'a3']);
  ends[2]?.();
  await Promise.all(acts);
});
