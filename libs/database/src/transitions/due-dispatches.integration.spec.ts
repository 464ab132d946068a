import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { freshDatabaseUrl } from '@offload/spec-kit';
import pg from 'pg';
import { migrate } from '../migrate.ts';
import { openDatabase } from '../open-database.ts';

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => void (await Promise.all(opened.splice(0).map((each) => each.close()))));

/** An outbox of its own: dispatch messages are taken from wherever they are. */
async function setup() {
  const url = freshDatabaseUrl();
  await migrate(url);
  const open = () => {
    const database = openDatabase({ url, dispatchGraceMs: 0 });
    opened.push(database);
    return database;
  };
  const database = open();
  const sql = new pg.Pool({ connectionString: url });
  opened.push({ close: () => sql.end() });

  async function create(delayMs = 0, queue = 'default') {
    const policy = { maxAttempts: 3, timeoutMs: 1_000, backoff: { baseMs: 10, factor: 2, maxMs: 100 } };
    const job = { id: randomUUID(), type: 'demo.sleep', queue, priority: 4, tags: [], payload: {}, ...policy };
    return database.jobs.create({ ...job, delayMs, runAt: null });
  }
  /** Lets time pass: all is due this much sooner. */
  async function pass(ms: number): Promise<void> {
    const earlier = `set due_at = due_at - $1 * interval '1 millisecond'`;
    await sql.query(`update outbox ${earlier}`, [ms]);
    await sql.query(`update jobs ${earlier}`, [ms]);
  }
  const outbox = async (): Promise<string[]> =>
    (await sql.query('select id from outbox order by id')).rows.map(({ id }) => id);
  const claim = (jobId: string) =>
    database.jobs.claim({
      jobId,
      dispatchId: randomUUID(),
      redelivered: false,
      deliveryCount: 0,
      claimId: randomUUID(),
      holder: 'spec',
    });
  const remove = (jobId: string) => sql.query('delete from jobs where id = $1', [jobId]);
  return { database, open, create, pass, outbox, claim, remove };
}

describe('takeDueDispatches', () => {
  it('takes the dispatch messages that are due, the longest pending first, and no others', async () => {
    const { database, create, pass } = await setup();
    const late = await create(70_000);
    const early = await create(60_000, 'reports');
    await create(200_000);
    await pass(100_000);
    const expected = { type: 'demo.sleep', priority: 4, traceparent: null };
    expect(await database.outbox.takeDue(1, 1_000)).toEqual([
      { outboxId: early.outboxId, jobId: early.job.id, queue: 'reports', ...expected },
    ]);
    expect(await database.outbox.takeDue(10, 1_000)).toEqual([
      { outboxId: late.outboxId, jobId: late.job.id, queue: 'default', ...expected },
    ]);
  });

  it('leaves a taken dispatch message to its taker for the grace, then it is due again', async () => {
    const { database, create, pass } = await setup();
    const { outboxId } = await create();
    expect(await database.outbox.takeDue(10, 60_000)).toMatchObject([{ outboxId }]);
    expect(await database.outbox.takeDue(10, 60_000)).toEqual([]);
    const ms = (await database.outbox.msUntilNext()) as number;
    expect(ms).toBeGreaterThan(30_000);
    expect(ms).toBeLessThanOrEqual(60_001);
    await pass(61_000);
    expect(await database.outbox.takeDue(10, 60_000)).toMatchObject([{ outboxId }]);
  });

  it('leaves a dispatch message that was put off alone until its new time', async () => {
    const { database, create, pass } = await setup();
    const [one, other] = [await create(), await create()];
    await database.outbox.takeDue(10, 60_000);
    await database.outbox.putOff([one.outboxId], 120_000);
    await pass(61_000);
    expect(await database.outbox.takeDue(10, 60_000)).toMatchObject([{ outboxId: other.outboxId }]);
    await pass(60_000);
    expect(await database.outbox.takeDue(1, 60_000)).toMatchObject([{ outboxId: one.outboxId }]);
  });

  it('removes the dispatch messages of a job that was deleted by hand', async () => {
    const { database, create, outbox, remove } = await setup();
    const [gone, kept] = [await create(), await create()];
    await remove(gone.job.id);
    expect(await database.outbox.takeDue(10, 60_000)).toMatchObject([{ outboxId: kept.outboxId }]);
    expect(await outbox()).toEqual([kept.outboxId]);
  });

  it('never shares a dispatch message between concurrent takers', async () => {
    const { open, create, outbox } = await setup();
    await Promise.all(Array.from({ length: 200 }, () => create()));
    const relays = Array.from({ length: 4 }, open);
    const taken: string[] = [];
    while (taken.length < 200) {
      const rounds = await Promise.all(relays.map((relay) => relay.outbox.takeDue(13, 60_000)));
      const ids = rounds.flat().map(({ outboxId }) => outboxId);
      expect(ids).not.toEqual([]);
      taken.push(...ids);
    }
    expect(taken.sort()).toEqual((await outbox()).sort());
  });
});

describe('msUntilNextDispatch', () => {
  it('is null when no dispatch message is pending', async () => {
    const { database } = await setup();
    expect(await database.outbox.msUntilNext()).toBeNull();
  });

  it('tells of the soonest dispatch message, and is not positive once one is due', async () => {
    const { database, create, pass } = await setup();
    await create(90_000);
    await create(60_000);
    const ms = (await database.outbox.msUntilNext()) as number;
    expect(ms).toBeGreaterThan(30_000);
    expect(ms).toBeLessThanOrEqual(60_001);
    await pass(60_000);
    expect(await database.outbox.msUntilNext()).toBeLessThanOrEqual(0);
  });
});

describe('confirmDispatch', () => {
  it('queues a scheduled job that is due and has a pending dispatch message no more', async () => {
    const { database, create, pass, outbox } = await setup();
    const { job, outboxId } = await create(60_000);
    await pass(60_000);
    const queued = await database.outbox.confirm(outboxId);
    expect(queued).toMatchObject({ id: job.id, status: 'queued', version: 2, attempt: 0 });
    expect(queued).toEqual(await database.jobs.getBrief(job.id));
    expect(await outbox()).toEqual([]);
    expect(await database.outbox.confirm(outboxId)).toBeNull();
  });

  it('changes no job that is queued, running or finished, and has a pending dispatch message no more', async () => {
    const { database, create, claim, outbox } = await setup();
    const [queued, running, finished] = [await create(), await create(), await create()];
    await claim(running.job.id);
    await claim(finished.job.id);
    await database.jobs.settle({ jobId: finished.job.id, attempt: 1, outcome: { status: 'succeeded', result: 1 } });
    const ids = [queued, running, finished].map(({ job }) => job.id);
    const before = await Promise.all(ids.map(database.jobs.get));
    const dispatches = [queued, running, finished].map(({ outboxId }) => outboxId);
    expect(await Promise.all(dispatches.map(database.outbox.confirm))).toEqual([null, null, null]);
    expect(await Promise.all(ids.map(database.jobs.get))).toEqual(before);
    expect(await outbox()).toEqual([]);
  });

  it('leaves a job alone that has run and been rescheduled meanwhile, with the dispatch message of its retry', async () => {
    const { database, create, claim, outbox } = await setup();
    const { job, outboxId } = await create();
    await claim(job.id);
    const outcome = { status: 'scheduled', error: null, delayMs: 60_000 } as const;
    const rescheduled = await database.jobs.settle({ jobId: job.id, attempt: 1, outcome });
    expect(await database.outbox.confirm(outboxId)).toBeNull();
    expect(await database.jobs.get(job.id)).toEqual(rescheduled);
    const left = await outbox();
    expect(left).toHaveLength(1);
    expect(left).not.toContain(outboxId);
  });

  it('answers each dispatch message of a batch for itself', async () => {
    const { database, create, pass } = await setup();
    const [one, two] = [await create(60_000), await create(60_000)];
    const queued = await create();
    await pass(60_000);
    const dispatches = [two.outboxId, '999999', queued.outboxId, one.outboxId];
    const confirmed = await Promise.all(dispatches.map(database.outbox.confirm));
    expect(confirmed.map((job) => job?.id)).toEqual([two.job.id, undefined, undefined, one.job.id]);
  });
});
