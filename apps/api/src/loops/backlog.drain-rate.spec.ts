import { describe, expect, it } from '@jest/globals';
import { backlog, setup, rate } from './spec-backlog.ts';

describe('the drain rate', () => {
  it('is unknown until a job has waited from one sample to the next', async () => {
    const { next, asked } = await setup();
    await next(1_000, 10, 0);
    expect(rate()).toBeNull();
    expect(backlog.estimateMs('default', 5)).toBeNull();
    await next(1_000, 8, 8);
    expect(rate()).toBe(2);
    expect(backlog.estimateMs('default', 5)).toBe(2_500);
    expect(asked.map(({ since }) => since)).toEqual([null, 1, 2]);
    expect(asked[0]?.queues).toEqual(['default', 'mail']);
  });

  it('does not take jobs that came since the last sample for jobs that stayed', async () => {
    const { next } = await setup({ waiting: 100 });
    await next(2_000, 5_000, 60);
    expect(rate()).toBe(20);
  });

  it('is an average over about half a minute, however long the samples are apart', async () => {
    const { next } = await setup({ waiting: 1_000_000 });
    for (let second = 0; second < 300; second += 1) await next(1_000, 1_000_000, 999_990);
    expect(rate()).toBe(10);
    for (let second = 0; second < 30; second += 10) await next(10_000, 1_000_000, 999_000);
    expect(rate()).toBeGreaterThan(60);
    expect(rate()).toBeLessThan(80);
  });

  it('stays while the queue is empty, and is unknown after half a minute of that', async () => {
    const { next } = await setup({ waiting: 100 });
    await next(1_000, 90, 90);
    await next(9_000, 0, 0);
    for (let second = 0; second < 30; second += 1) await next(1_000, 0, 0);
    expect(rate()).toBe(10);
    await next(1_000, 0, 0);
    expect(rate()).toBeNull();
  });

  it('is known again from the next jobs that wait', async () => {
    const { next } = await setup({ waiting: 100 });
    await next(1_000, 99, 99);
    await next(1_000, 0, 0);
    await next(60_000, 0, 0);
    await next(1_000, 100, 0);
    await next(1_000, 50, 50);
    expect(rate()).toBe(50);
  });

  it('is not lowered by a queue that ran empty, which could have drained faster', async () => {
    const { next } = await setup({ waiting: 101 });
    await next(10_000, 1, 1);
    for (let second = 0; second < 60; second += 1) await next(1_000, 1, 0);
    expect(rate()).toBe(10);
    await next(1_000, 500, 0);
    await next(1_000, 0, 0);
    expect(rate()).toBeGreaterThan(40);
  });

  it('goes towards 0 while jobs wait and none leaves', async () => {
    const { next } = await setup({ waiting: 1_000 });
    await next(1_000, 900, 900);
    const rates: number[] = [];
    for (let minute = 0; minute < 60; minute += 1) {
      await next(60_000, 900, 900);
      rates.push(rate() as number);
    }
    expect(rates).toEqual([...rates].sort((a, b) => b - a));
    expect(rates.at(-1)).toBeLessThan(0.01);
  });

  it('is 0, without an estimate, where no job has ever left', async () => {
    const { next } = await setup({ waiting: 5 });
    await next(60_000, 5, 5);
    expect(rate()).toBe(0);
    expect(backlog.estimateMs('default', 1)).toBeNull();
  });

  it('recovers soon when workers come back after an hour', async () => {
    const { next } = await setup({ waiting: 1_000_000 });
    for (let minute = 0; minute < 60; minute += 1) await next(60_000, 1_000_000, 1_000_000);
    for (let second = 0; second < 30; second += 1) await next(1_000, 1_000_000, 999_900);
    expect(rate()).toBeGreaterThan(50);
  });

  it('is known of jobs that take minutes, too', async () => {
    const { next } = await setup({ waiting: 50 });
    for (let second = 1; second <= 3_600; second += 1) await next(1_000, 50, second % 300 === 0 ? 49 : 50);
    expect(rate()).toBeGreaterThan(1 / 600);
    expect(rate()).toBeLessThan(1 / 200);
  });

  it('is not below 0 when jobs are given back', async () => {
    const { next } = await setup({ waiting: 5 });
    await next(1_000, 9, 9);
    expect(rate()).toBe(0);
  });

  it('spans the samples that failed', async () => {
    const { next, fail } = await setup({ waiting: 100 });
    await fail();
    await next(10_000, 50, 50);
    expect(rate()).toBe(5);
  });
});
