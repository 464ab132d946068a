import { expect, it } from '@jest/globals';
import { createFewAtOnce } from './few-at-once.ts';

it('lets two act at once, and the others in the order in which they came, also after one that failed', async () => {
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
