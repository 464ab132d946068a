import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { aheadSql, MOST_AHEAD } from './queues.ts';
import { useJobs } from './transitions/spec-jobs.ts';

const jobs = useJobs();
let queues = 0;
/** The name of a queue that no other test uses. */
const freshQueue = () => `queue-${(queues += 1)}`;

/** Sets back when the job was due, or created. */
const backdate = (id: string, column: 'due_at' | 'created_at', ms: number) =>
  jobs.query(`update jobs set ${column} = now() - $2 * interval '1 millisecond' where id = $1`, [id, ms]);

describe('countQueues', () => {
  const count = async (queue: string) => (await jobs.database.queues.count()).find((one) => one.queue === queue);

  it('counts the ready, running and scheduled jobs of each queue, by name', async () => {
    const [busy, idle] = [freshQueue(), freshQueue()];
    await Promise.all([jobs.create({ queue: busy }), jobs.dispatched({ queue: busy }), jobs.running({ queue: busy })]);
    await jobs.create({ queue: idle, delayMs: 60_000 });
    expect(await count(busy)).toMatchObject({ ready: 2, running: 1, scheduled: 0 });
    expect(await count(idle)).toEqual({ queue: idle, ready: 0, running: 0, scheduled: 1, oldestWaitingMs: null });
    const names = (await jobs.database.queues.count()).map(({ queue }) => queue);
    expect(names).toEqual([...names].sort());
  });

  it('leaves out queues without unfinished jobs', async () => {
    const queue = freshQueue();
    const { settle } = await jobs.running({ queue });
    await settle({ status: 'succeeded', result: 1 });
    expect(await count(queue)).toBeUndefined();
  });

  it('returns how long the oldest waiting job has been due', async () => {
    const queue = freshQueue();
    const [old] = [await jobs.dispatched({ queue }), await jobs.dispatched({ queue })];
    await backdate(old, 'created_at', 90_000);
    await backdate(old, 'due_at', 60_000);
    const { oldestWaitingMs } = (await count(queue)) ?? {};
    expect(oldestWaitingMs).toBeGreaterThanOrEqual(60_000);
    expect(oldestWaitingMs).toBeLessThan(80_000);
  });

  it('does not count waiting time before the creation of a job', async () => {
    const queue = freshQueue();
    await jobs.create({ queue, runAt: '2001-02-03T04:05:06.789Z' });
    expect((await count(queue))?.oldestWaitingMs).toBeLessThan(30_000);
  });
});

describe('sampleQueues', () => {
  /** How many jobs wait in one queue, and how many of them waited at the previous sample. */
  function follow(queue: string) {
    let since: number | null = null;
    return async (): Promise<[waiting: number, remaining: number]> => {
      const { queues, at } = await jobs.database.queues.sample([queue], since);
      since = at;
      // Rows hold milliseconds: the sampled jobs become a second older, so that later jobs are clearly later.
      const earlier = (column: string) => `${column} = ${column} - interval '1 second'`;
      await jobs.query(`update jobs set ${['due_at', 'created_at'].map(earlier).join(', ')} where queue = $1`, [queue]);
      return [queues[0]?.waiting ?? NaN, queues[0]?.remaining ?? NaN];
    };
  }

  it('distinguishes jobs that still wait from jobs that came later', async () => {
    const queue = freshQueue();
    const sample = follow(queue);
    const ids = [await jobs.dispatched({ queue }), await jobs.dispatched({ queue }), await jobs.dispatched({ queue })];
    expect(await sample()).toEqual([3, 0]);
    await jobs.claim(ids[0] as string);
    await jobs.dispatched({ queue });
    await jobs.dispatched({ queue });
    expect(await sample()).toEqual([4, 2]);
    expect(await sample()).toEqual([4, 4]);
  });

  it('counts retried and delayed jobs, whose ids are old, as later ones', async () => {
    const queue = freshQueue();
    const sample = follow(queue);
    const delayed = await jobs.create({ queue, delayMs: 60_000 });
    const failed = await jobs.running({ queue });
    await failed.settle({ status: 'failed', error: { code: 'handler-error', message: 'no luck', attempt: 1 } });
    expect(await sample()).toEqual([0, 0]);
    await jobs.query('update jobs set due_at = now() where id = $1', [delayed.id]);
    await jobs.database.outbox.confirm(delayed.outboxId);
    await jobs.database.jobs.retry(failed.id);
    expect(await sample()).toEqual([2, 0]);
    expect(await sample()).toEqual([2, 2]);
  });

  it('counts a job with a run time in the past as a later one', async () => {
    const queue = freshQueue();
    const sample = follow(queue);
    await sample();
    await jobs.create({ queue, runAt: '2001-02-03T04:05:06.789Z' });
    expect(await sample()).toEqual([1, 0]);
  });

  it('answers for each given queue, also for one without jobs', async () => {
    const [one, other] = [freshQueue(), freshQueue()];
    await jobs.dispatched({ queue: one });
    const { queues } = await jobs.database.queues.sample([other, one], null);
    expect(queues).toEqual([
      expect.objectContaining({ queue: other, waiting: 0, remaining: 0, oldestWaitingMs: null }),
      expect.objectContaining({ queue: one, waiting: 1, remaining: 0, oldestWaitingMs: expect.any(Number) }),
    ]);
    expect((await jobs.database.queues.sample([], null)).queues).toEqual([]);
  });
});

/** Fills a queue at once. The priority of a job is the last digit of its number, unless one is given. */
async function fill(queue: string, count: number, priority: number | null = null): Promise<(n: number) => string> {
  const prefix = `0198${(queues += 1).toString(16).padStart(4, '0')}-0000-7000-8000-`;
  await jobs.query(
    `insert into jobs (id, type, queue, status, priority, payload, max_attempts, timeout_ms, backoff, due_at)
     select ($3 || lpad(to_hex(n), 12, '0'))::uuid, 'demo.sleep', $1, 'queued', coalesce($4::int, n % 10), '{}', 1, 1, '{}',
       now() from generate_series(1, $2::int) as n`,
    [queue, count, prefix, priority],
  );
  return (n) => prefix + n.toString(16).padStart(12, '0');
}

describe('sampleQueues of many jobs', () => {
  it('marks the first job of each level, and every thousandth after it', async () => {
    const queue = freshQueue();
    const id = await fill(queue, 4_500);
    const { queues: samples } = await jobs.database.queues.sample([queue], null);
    // In each 10 jobs, the 5th to the 9th are of the higher level. Its 1,001st job is the 2,005th of all. The 1,001st
    // job of the lower level is the 2,001st of all.
    expect(samples).toMatchObject([
      {
        waiting: 4_500,
        high: { waiting: 2_250, marks: [5, 2_005, 4_005].map(id) },
        normal: { waiting: 2_250, marks: [1, 2_001, 4_001].map(id) },
      },
    ]);
    await jobs.query(`update jobs set status = 'running' where queue = $1 and id <= $2`, [queue, id(3_000)]);
    expect((await jobs.database.queues.sample([queue], null)).queues).toMatchObject([
      { high: { waiting: 750, marks: [id(3_005)] }, normal: { waiting: 750, marks: [id(3_001)] } },
    ]);
  });

  it('has no marks if no job waits', async () => {
    const { queues: samples } = await jobs.database.queues.sample([freshQueue()], null);
    expect(samples).toMatchObject([{ high: { waiting: 0, marks: [] }, normal: { waiting: 0, marks: [] } }]);
  });
});

describe('countStarted', () => {
  it('counts running and scheduled jobs, and no waiting ones', async () => {
    const queue = freshQueue();
    await Promise.all([jobs.running({ queue }), jobs.dispatched({ queue }), jobs.create({ queue, delayMs: 60_000 })]);
    expect(await jobs.database.queues.countStarted()).toContainEqual({ queue, running: 1, scheduled: 1 });
  });
});

/** How many pages of index and table PostgreSQL reads to count the jobs ahead. */
async function pagesFor(values: string[][]): Promise<number> {
  const client = new pg.Client({ connectionString: jobs.url });
  await client.connect();
  try {
    await client.query('set enable_seqscan = off');
    type Plan = { 'QUERY PLAN': { Plan: Record<'Shared Hit Blocks' | 'Shared Read Blocks', number> }[] };
    const { rows } = await client.query<Plan>(`explain (analyze, buffers, format json) ${aheadSql}`, values);
    const plan = rows[0]?.['QUERY PLAN'][0]?.Plan;
    return (plan?.['Shared Hit Blocks'] ?? NaN) + (plan?.['Shared Read Blocks'] ?? NaN);
  } finally {
    await client.end();
  }
}

describe('countAhead', () => {
  const ahead = (ids: string[]) => Promise.all(ids.map((jobId) => jobs.database.queues.countAhead({ jobId })));

  it('counts the older jobs of the same queue', async () => {
    const queue = freshQueue();
    const ids = [await jobs.dispatched({ queue }), await jobs.create({ queue }).then(({ id }) => id)];
    await jobs.dispatched({ queue: freshQueue() });
    ids.push(await jobs.dispatched({ queue }));
    expect(await ahead(ids)).toEqual([0, 1, 2]);
    await jobs.claim(ids[0] as string);
    expect(await ahead(ids)).toEqual([null, 0, 1]);
  });

  it('counts jobs with priority 5 or more before the others, with no finer order', async () => {
    const queue = freshQueue();
    const ids: string[] = [];
    for (const priority of [0, 9, 4, 5, 2, 7]) ids.push(await jobs.dispatched({ queue, priority }));
    expect(await ahead(ids)).toEqual([3, 0, 4, 1, 5, 2]);
  });

  it('gives each concurrent caller its own count, for any queue', async () => {
    const [one, other] = [freshQueue(), freshQueue()];
    const ids: string[] = [];
    for (let round = 0; round < 20; round += 1) {
      ids.push(await jobs.dispatched({ queue: one }), await jobs.dispatched({ queue: other }));
    }
    const expected = ids.map((_, index) => Math.floor(index / 2));
    expect(await ahead([...ids].reverse())).toEqual([...expected].reverse());
  });

  it('returns null for a job that is not queued, and for an unknown one', async () => {
    const scheduled = await jobs.create({ delayMs: 60_000 });
    const running = await jobs.running();
    expect(await ahead([scheduled.id, running.id, randomUUID()])).toEqual([null, null, null]);
  });

  it('accepts an id in capital letters', async () => {
    const queue = freshQueue();
    const id = await jobs.dispatched({ queue, id: 'abcdef00-0000-7000-8000-000000000000' });
    expect(await jobs.database.queues.countAhead({ jobId: id.toUpperCase() })).toBe(0);
  });

  it('counts from the ids where the caller says that the levels begin', async () => {
    const queue = freshQueue();
    const id = await fill(queue, 100);
    const asked = (n: number, high: number, normal: number) =>
      jobs.database.queues.countAhead({ jobId: id(n), from: { high: id(high), normal: id(normal) } });
    expect(await asked(100, 1, 1)).toBe(99);
    expect(await asked(100, 51, 1)).toBe(74);
    expect(await asked(100, 51, 91)).toBe(29);
    expect(await asked(99, 51, 91)).toBe(24);
  });

  it('does not read the index entries of jobs that have left', async () => {
    const queue = freshQueue();
    await jobs.query('alter table jobs set (autovacuum_enabled = false)');
    const id = await fill(queue, 20_000, 0);
    await jobs.query(`update jobs set status = 'running' where queue = $1 and id < $2`, [queue, id(19_901)]);
    expect(await pagesFor([[id(20_000)], [id(1)], [id(19_901)]])).toBeLessThan(300);
    expect(await pagesFor([[id(20_000)], [id(1)], [id(1)]])).toBeGreaterThan(500);
    await jobs.query('alter table jobs reset (autovacuum_enabled)');
  });

  it('counts no further than the limit', async () => {
    const queue = freshQueue();
    const id = await fill(queue, 3 * MOST_AHEAD);
    // 5 of each 10 are of the higher level: 15,000 come before any lower one.
    expect(await ahead([5, 6, 15, 9_995, 29_999, 1, 2].map(id))).toEqual([
      ...[0, 1, 5, 4_995, MOST_AHEAD, MOST_AHEAD, MOST_AHEAD],
    ]);
    await jobs.query(`update jobs set status = 'running' where queue = $1 and priority >= 5`, [queue]);
    expect(await ahead([1, 10, 19_994, 20_000, 20_001, 29_994].map(id))).toEqual([
      ...[0, 4, 9_998, 9_999],
      MOST_AHEAD,
      MOST_AHEAD,
    ]);
  });
});
