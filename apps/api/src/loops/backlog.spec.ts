import { describe, expect, it } from '@jest/globals';
import { MOST_AHEAD } from '@offload/database';
import { backlog, turn, idOf, setup } from './spec-backlog.ts';

describe('the number of waiting jobs', () => {
  it('is that of the last sample and the jobs that this process has accepted since', async () => {
    const { next } = await setup({ waiting: 3 });
    expect(backlog.waiting('default')).toBe(3);
    backlog.accepted('default', 2);
    expect([backlog.waiting('default'), backlog.waiting('mail')]).toEqual([5, 0]);
    await next(1_000, 4, 2);
    expect(backlog.waiting('default')).toBe(4);
  });

  it('includes jobs accepted during a sample, which may not have seen them', async () => {
    const { slowly } = await setup({ waiting: 3 });
    backlog.accepted('default', 2);
    const finish = slowly(5, 3);
    await turn();
    backlog.accepted('default', 1);
    await finish();
    expect(backlog.waiting('default')).toBe(6);
  });

  it('includes a job that is being stored until it is known whether it is queued', async () => {
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

  it('is 0 in a queue that is not configured', async () => {
    await setup();
    backlog.accepted('other', 1);
    expect([backlog.waiting('other'), backlog.drainPerSecond('other')]).toEqual([0, null]);
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

it('shows waiting jobs and drain rate as gauges, the rate where it is known', async () => {
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
