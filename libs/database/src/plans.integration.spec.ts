import assert from 'node:assert';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { freshDatabaseUrl } from '@offload/spec-kit';
import pg from 'pg';
import { migrate } from './migrate.ts';
import { openDatabase } from './open-database.ts';

/** What is asked of PostgreSQL for every job. */
const hot = [
  'claim-waiting-jobs',
  'claim-jobs',
  'succeed-jobs',
  'settle-jobs',
  'confirm-dispatches',
  'hold-jobs',
  'take-pending-dispatches',
  'read-first-jobs',
  'read-brief-jobs',
];

/** The text of each prepared statement, by its name, and how a session begins. */
const texts = new Map<string, string>();
let session = '';
let client: pg.Client;

beforeAll(async () => {
  const url = freshDatabaseUrl();
  await migrate(url);
  const { query } = pg.Client.prototype as { query: (this: pg.Client, ...given: unknown[]) => unknown };
  pg.Client.prototype.query = function (this: pg.Client, ...given: unknown[]) {
    const [statement] = given as [string | { name?: string; text: string }];
    if (typeof statement === 'string') {
      if (statement.startsWith('set ')) session ||= statement;
    } else if (statement.name !== undefined) texts.set(statement.name, statement.text);
    return query.apply(this, given);
  } as typeof pg.Client.prototype.query;
  const database = openDatabase({ url, dispatchGraceMs: 0 });
  try {
    await liveThrough(database);
  } finally {
    await database.close();
    pg.Client.prototype.query = query as typeof pg.Client.prototype.query;
  }
  client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(session);
});
afterAll(() => client.end());

/** A job's way, on a database that knows of no other. */
async function liveThrough(database: ReturnType<typeof openDatabase>): Promise<void> {
  const policy = { maxAttempts: 3, timeoutMs: 1_000, backoff: { baseMs: 10, factor: 2, maxMs: 100 } };
  const work = { type: 'demo.sleep', queue: 'default', priority: 0, tags: [], payload: {}, delayMs: 0, runAt: null };
  const { job } = await database.jobs.create({ id: randomUUID(), ...work, ...policy });
  for (const { outboxId } of await database.outbox.takeDue(10, 1_000)) await database.outbox.confirm(outboxId);
  const delivery = {
    dispatchId: randomUUID(),
    redelivered: false,
    deliveryCount: 0,
    claimId: randomUUID(),
    holder: 'spec',
  };
  const claimed = await database.jobs.claim({ jobId: job.id, ...delivery });
  assert(claimed.kind === 'claimed');
  await database.jobs.hold([{ jobId: job.id, attempt: 1 }]);
  await database.jobs.settle({ jobId: job.id, attempt: 1, outcome: { status: 'succeeded', result: 1 }, claimed });
  await database.jobs.get(job.id);
  await database.jobs.getBrief(job.id);
  // And what few jobs go through.
  await database.jobs.settle({ jobId: job.id, attempt: 1, outcome: { status: 'queued' } });
  await database.jobs.claim({ jobId: job.id, ...delivery, redelivered: true, deliveryCount: 1 });
}

/** Of the plan that is kept for any parameters: which index leads to rows of `jobs` and `outbox`, or that none does. */
async function waysTo(name: string): Promise<string[]> {
  const text = texts.get(name) as string;
  const parameters = Math.max(...[...text.matchAll(/\$(\d+)/g)].map(([, number]) => Number(number)));
  await client.query(`set plan_cache_mode = force_generic_plan; prepare "${name}" as ${text}`);
  const nulls = Array(parameters).fill('null').join(', ');
  const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain (costs off) execute "${name}"(${nulls})`);
  const scans = rows.flatMap(
    (row) => /(Seq Scan on|Tid Scan on|Scan using|Bitmap Index Scan on) (\w+)/.exec(row['QUERY PLAN']) ?? [],
  );
  return [...new Set(scans.filter((match) => /^(jobs|outbox)/.test(match)))].sort();
}

it('knows the statements that it is about', () => {
  expect([...texts.keys()]).toEqual(expect.arrayContaining(hot));
});

// A plan is kept until the table is analysed again: what is chosen now must do for millions of jobs, too.
it.each([
  ['claim-waiting-jobs', ['jobs', 'jobs_pkey']],
  ['claim-jobs', ['jobs_pkey']],
  ['succeed-jobs', ['jobs', 'jobs_pkey']],
  ['settle-jobs', ['jobs_pkey']],
  ['hold-jobs', ['jobs_pkey']],
  ['confirm-dispatches', ['jobs_pkey', 'outbox_pkey']],
  ['read-first-jobs', ['jobs_pkey']],
  ['read-brief-jobs', ['jobs_pkey']],
  ['take-pending-dispatches', ['jobs_pkey', 'outbox_due_at_idx', 'outbox_pkey']],
])('%s goes by %j, although it was planned when there was one job', async (name, indexes) => {
  expect(await waysTo(name)).toEqual(indexes);
});
