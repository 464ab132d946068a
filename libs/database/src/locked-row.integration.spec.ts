import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@offload/spec-kit';
import pg from 'pg';
import { openDatabase, type Database } from './open-database.ts';
import { useJobs } from './transitions/spec-jobs.ts';
import { DatabaseUnavailableError } from './unavailable.ts';

const jobs = useJobs();
const opened: Database[] = [];
const locks: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(locks.splice(0).map((unlock) => unlock()));
  await Promise.all(opened.splice(0).map((database) => database.close()));
});

/** Opens another process's database, which waits for locks as long as the options say. */
function another(options: { lockTimeoutMs?: number } = {}): Database {
  const database = openDatabase({ url: jobs.url, ...options });
  opened.push(database);
  return database;
}

/** Locks rows in a transaction of another program. @returns a function that unlocks them */
async function lock(sql: string, values: unknown[]): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: jobs.url });
  await client.connect();
  await client.query('begin');
  await client.query(sql, values);
  let ended: Promise<void> | undefined;
  const unlock = () => (ended ??= client.end());
  locks.push(unlock);
  return unlock;
}

const lockJob = (id: string) => lock('select from jobs where id = $1 for update', [id]);

/** Waits until this many statements of this database wait for a lock. */
const waiting = (count: number) =>
  eventually(async () => {
    const sql = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    expect(await jobs.query(sql)).toHaveLength(count);
  });

const claimBy = (database: Database, jobId: string, redelivered = false) =>
  database.jobs.claim({ jobId, dispatchId: jobId, redelivered, deliveryCount: 0, claimId: jobId, holder: 'spec' });

/** A job that `database` has claimed, and functions that settle it as a worker does. */
async function claimed(database: Database) {
  const id = await jobs.dispatched();
  const claim = await claimBy(database, id);
  if (claim.kind !== 'claimed') throw new Error(claim.kind);
  return {
    id,
    succeed: () =>
      database.jobs.settle({ jobId: id, attempt: 1, outcome: { status: 'succeeded', result: 1 }, claimed: claim }),
    giveBack: () => database.jobs.settle({ jobId: id, attempt: 1, outcome: { status: 'queued' }, claimed: claim }),
  };
}

describe('a row that another program has locked', () => {
  it('delays no claim and no outcome of another job', async () => {
    const database = another();
    const [held, given, taken] = [await claimed(database), await claimed(database), await jobs.dispatched()];
    const unlocks = await Promise.all([held.id, given.id, taken].map(lockJob));
    const stuck = [held.succeed(), given.giveBack(), claimBy(database, taken)];
    await waiting(3);
    for (let round = 0; round < 3; round += 1) {
      const one = await claimed(database);
      expect(await one.succeed()).toMatchObject({ status: 'succeeded' });
      const other = await claimed(database);
      expect(await other.giveBack()).toMatchObject({ status: 'queued' });
    }
    await waiting(3); // the three still wait
    await Promise.all(unlocks.map((unlock) => unlock()));
    expect(await Promise.all(stuck)).toMatchObject([
      { status: 'succeeded' },
      { status: 'queued' },
      { kind: 'claimed' },
    ]);
  });

  it('delays no creation of another job, and no confirmation of its dispatch message', async () => {
    const database = another();
    const { outboxId, id: like } = await jobs.create();
    const unlockKey = await lock(`update jobs set dedupe_key = 'locked' where id = $1`, [await jobs.dispatched()]);
    const unlockDispatch = await lock('select from outbox where id = $1 for update', [outboxId]);
    const { type, payload, queue, priority, tags, maxAttempts } = await jobs.read(like);
    const make = (id: string, dedupeKey: string | null) => {
      const backoff = { baseMs: 10, factor: 2, maxMs: 100 };
      const work = { id, type, payload, queue, priority, tags, maxAttempts, timeoutMs: 1_000, backoff };
      const made = { ...work, delayMs: 0, runAt: null, ...(dedupeKey && { dedupeKey }) };
      return database.jobs.submit({ jobs: [made], idempotency: null });
    };
    const stuck = [make('01990000-0000-7000-9000-000000000002', 'locked'), database.outbox.confirm(outboxId)];
    await waiting(2);
    const others = await Promise.all([make('01990000-0000-7000-9000-000000000003', null), jobs.create()]);
    expect(others[0]).toMatchObject({ kind: 'created' });
    await database.outbox.confirm(others[1].outboxId);
    expect(await jobs.pending(others[1].id)).toBe(0);
    await waiting(2); // the two still wait
    await Promise.all([unlockKey(), unlockDispatch()]);
    await Promise.all(stuck);
  });

  it('delays jobs that share its statement no longer than lockTimeoutMs', async () => {
    const database = another({ lockTimeoutMs: 50 });
    const [locked, mate] = [await claimed(database), await claimed(database)];
    const unlock = await lockJob(locked.id);
    const until = async <T>(call: () => Promise<T>): Promise<T> => eventually(() => call()) as Promise<T>;
    const outcomes = [locked.succeed().catch((error: unknown) => error), until(mate.succeed)];
    expect(await Promise.all(outcomes)).toMatchObject([expect.any(DatabaseUnavailableError), { status: 'succeeded' }]);
    await unlock();
    expect(await locked.succeed()).toMatchObject({ status: 'succeeded' });
  });

  it('blocks liveness answers and loss notes for that job only', async () => {
    const database = another();
    const [locked, other] = [await claimed(database), await claimed(database)];
    for (const { id } of [locked, other]) await jobs.silence(id, 60_000);
    const unlock = await lockJob(locked.id);
    const held = [locked, other].map(({ id }) => ({ jobId: id, attempt: 1 }));
    await database.jobs.hold(held);
    await database.jobs.noteLoss(held, 'blocked');
    await unlock();
    expect((await database.jobs.releaseUnheld(30_000, 10)).map(({ id }) => id)).toEqual([locked.id]);
    const notes = await jobs.query('select id from jobs where loss_note is not null');
    expect(notes).toEqual([{ id: other.id }]);
  });
});
