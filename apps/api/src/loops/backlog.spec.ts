import { afterEach, describe, expect, it } from '@jest/globals';
import { MARK_EVERY, MOST_AHEAD, type QueueSamples } from '@offload/database';
import { createLogger, createMetrics } from '@offload/process';
import { startBacklog, type Backlog } from './backlog.ts';

const log = createLogger('api', { level: 'silent', instance: 'spec' });
const HOUR_MS = 3_600_000;

let backlog: Backlog;
afterEach(() => backlog.stop());

/** Everything that needs no timer has happened. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

const idOf = (n: number) => `01980000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
/** So many jobs, the first of which has the id of 0. */
const lineOf = (waiting: number) => ({
  waiting,
  marks: Array.from({ length: Math.ceil(waiting / MARK_EVERY) }, (_, mark) => idOf(mark * MARK_EVERY)),
});

/** A backlog that samples when the test says so, and sees what the test says. */
async function setup({ waiting = 0 } = {}) {
  let time = 1_000_000;
  let at = 0;
  const asked: { queues: readonly string[]; since: number | null }[] = [];
  let answer: () => Promise<QueueSamples>;
  const see = (waiting: number, remaining: number) => {
    const none = { waiting: 0, marks: [] };
    const queues = [
      { queue: 'default', waiting, remaining, oldestWaitingMs: 5, high: none, normal: lineOf(waiting) },
      { queue: 'mail', waiting: 0, remaining: 0, oldestWaitingMs: null, high: none, normal: none },
    ];
    answer = async () => ({ queues, at: (at += 1) });
  };
  see(waiting, 0);
  const metrics = createMetrics();
  backlog = startBacklog({
    database: {
      queues: {
        sample(queues, since) {
          asked.push({ queues, since });
          return answer();
        },
        countStarted: async () => [
          { queue: 'default', running: 2, scheduled: 0 },
          { queue: 'other', running: 0, scheduled: 3 },
        ],
      },
    },
    queues: ['default', 'mail'],
    everyMs: HOUR_MS,
    metrics,
    log,
    now: () => time,
  });
  await turn();

  async function sample(): Promise<void> {
    backlog.wake();
    await turn();
  }
  return {
    pass: (ms: number) => void (time += ms),
    /** So many of each level wait. */
    seeLevels: async (high: number, normal: number) => {
      const all = { waiting: high + normal, remaining: 0, oldestWaitingMs: 5 };
      answer = async () => ({
        queues: [{ queue: 'default', ...all, high: lineOf(high), normal: lineOf(normal) }],
        at: 9,
      });
      await sample();
    },
    asked,
    metrics,
    fail: async () => {
      answer = () => Promise.reject(new Error('away'));
      await sample();
    },
    /** After so long, so many wait, of whom so many waited before. */
    next: async (elapsedMs: number, waiting: number, remaining: number) => {
      time += elapsedMs;
      see(waiting, remaining);
      await sample();
    },
    /** A sample that is under way until `finish` is called. */
    slowly: (waiting: number, remaining: number) => {
      see(waiting, remaining);
      const given = answer();
      let finish: () => void = () => undefined;
      const finished = new Promise<void>((resolve) => (finish = resolve));
      answer = () => finished.then(() => given);
      backlog.wake();
      return async () => {
        finish();
        await turn();
      };
    },
  };
}

const rate = () => backlog.drainPerSecond('default');

describe('what waits', () => {
  it('is what the last sample said and what this process has accepted since', async () => {
    const { next } = await setup({ waiting: 3 });
    expect(backlog.waiting('default')).toBe(3);
    backlog.accepted('default', 2);
    expect([backlog.waiting('default'), backlog.waiting('mail')]).toEqual([5, 0]);
    await next(1_000, 4, 2);
    expect(backlog.waiting('default')).toBe(4);
  });

  it('counts what is accepted during a sample, which may not have seen it', async () => {
    const { slowly } = await setup({ waiting: 3 });
    backlog.accepted('default', 2);
    const finish = slowly(5, 3);
    await turn();
    backlog.accepted('default', 1);
    await finish();
    expect(backlog.waiting('default')).toBe(6);
  });

  it('counts what is being stored, which no sample can have seen, until it is known what came of it', async () => {
    const { next } = await setup();
    const [first, second] = [backlog.reserve('default'), backlog.reserve('default')];
    await next(1_000, 0, 0);
    expect(backlog.waiting('default')).toBe(2);
    first(true);
    second(false);
    expect(backlog.waiting('default')).toBe(1);
    await next(1_000, 1, 0);
    expect(backlog.waiting('default')).toBe(1);
  });

  it('is nothing in a queue that it was not told of', async () => {
    await setup();
    backlog.accepted('other', 1);
    expect([backlog.waiting('other'), backlog.drainPerSecond('other')]).toEqual([0, null]);
  });
});

describe('the drain rate', () => {
  it('is not known until something has waited from one sample to the next', async () => {
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

  it('does not count those that came since as ones that did not go', async () => {
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

  it('stays as it is while nothing waits for a while, and is not known any more after half a minute', async () => {
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

  it('is not lowered by a queue that was emptied, which could have drained faster', async () => {
    const { next } = await setup({ waiting: 101 });
    await next(10_000, 1, 1);
    for (let second = 0; second < 60; second += 1) await next(1_000, 1, 0);
    expect(rate()).toBe(10);
    await next(1_000, 500, 0);
    await next(1_000, 0, 0);
    expect(rate()).toBeGreaterThan(40);
  });

  it('goes towards 0 while jobs wait and none goes', async () => {
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

  it('is 0, and no estimate, where none has ever gone', async () => {
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

  it('tells of jobs that take minutes, too', async () => {
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

describe('the place of a job', () => {
  const place = (n: number, priority = 0) => backlog.place({ id: idOf(n), queue: 'default', priority });
  const from = { high: '00000000-0000-0000-0000-000000000000', normal: idOf(0) };

  it('is between the marks before and behind it', async () => {
    await setup({ waiting: 3_400 });
    expect(place(1_200)).toEqual({ ahead: 1_500, isFar: false, from });
    expect(place(3_200)).toEqual({ ahead: 3_200, isFar: false, from });
  });

  it('is nearer by those that have left since the sample', async () => {
    const { next, pass } = await setup({ waiting: 4_000 });
    await next(1_000, 3_000, 3_000);
    pass(1_000);
    expect(place(2_500)).toMatchObject({ ahead: 1_500 });
    pass(10_000);
    expect(place(2_500)).toMatchObject({ ahead: 0 });
  });

  it('is far where so many are ahead of it for certain that they are not counted', async () => {
    await setup({ waiting: 30_000 });
    expect([9_999, 10_000, 29_999].map((n) => place(n).isFar)).toEqual([false, true, true]);
    expect(place(20_000).ahead).toBe(MOST_AHEAD);
  });

  it('is behind those of the higher level', async () => {
    const { seeLevels } = await setup();
    await seeLevels(4_000, 2_000);
    expect(place(500)).toMatchObject({ ahead: 4_500, from: { high: idOf(0), normal: idOf(0) } });
    expect(place(500, 5)).toMatchObject({ ahead: 500 });
    await seeLevels(12_000, 2_000);
    expect(place(500)).toMatchObject({ ahead: MOST_AHEAD, isFar: true });
  });

  it('has no beginning of the queue for a job that is older, as one that is retried may be', async () => {
    await setup({ waiting: 3_000 });
    expect(backlog.place({ id: '01970000-0000-7000-8000-000000000000', queue: 'default', priority: 0 })).toMatchObject({
      ahead: 0,
      from: undefined,
    });
  });

  it('is not known in a queue that is not sampled', async () => {
    await setup({ waiting: 3_000 });
    expect(backlog.place({ id: idOf(1), queue: 'other', priority: 0 })).toEqual({
      ...{ ahead: 0, isFar: false },
      from: undefined,
    });
  });
});

it('has counts of all queues, as of the last sample', async () => {
  await setup({ waiting: 7 });
  expect(backlog.counts()).toEqual([
    { queue: 'default', ready: 7, running: 2, scheduled: 0, oldestWaitingMs: 5 },
    { queue: 'mail', ready: 0, running: 0, scheduled: 0, oldestWaitingMs: null },
    { queue: 'other', ready: 0, running: 0, scheduled: 3, oldestWaitingMs: null },
  ]);
});

it('estimates no time for a job that nothing is ahead of', async () => {
  await setup();
  expect(backlog.estimateMs('default', 0)).toBe(0);
});

it('shows both as gauges, the rate where it is known', async () => {
  const { next, metrics } = await setup({ waiting: 100 });
  await next(1_000, 96, 95);
  const lines = (await metrics.metrics()).split('\n').filter((line) => line.startsWith('offload_queue'));
  expect(lines).toEqual([
    'offload_queue_waiting{queue="default"} 96',
    'offload_queue_waiting{queue="mail"} 0',
    'offload_queue_drain_per_second{queue="default"} 5',
  ]);
});

it("tells the database's time from when a sample was asked for, however long that took", async () => {
  const { slowly, pass } = await setup();
  const finish = slowly(0, 0); // taken when the database's clock says 2 s
  await turn();
  pass(700);
  await finish();
  pass(300);
  expect(backlog.databaseNow()).toBe(3_000);
});
