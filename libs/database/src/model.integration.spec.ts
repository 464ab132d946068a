import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { isFinished, type Job } from '@offload/jobs';
import { freshDatabaseUrl } from '@offload/spec-kit';
import fc from 'fast-check';
import pg from 'pg';
import { migrate } from './migrate.ts';
import { openDatabase, type Database } from './open-database.ts';
import { createWorld, WORKERS, type World } from './spec-world.ts';
import type { Outcome } from './transitions/settle-jobs.ts';

// Random sequences of everything that can happen to jobs, on the real database functions. When one breaks a promise,
// fast-check shortens it and prints it with its seed. MODEL_RUNS=2000 looks longer than the 100 sequences of each run.

const url = freshDatabaseUrl();
let database: Database;
let sql: pg.Pool;

beforeAll(async () => {
  await migrate(url);
  database = openDatabase({ url, dispatchGraceMs: 0 });
  sql = new pg.Pool({ connectionString: url });
});
afterAll(() => Promise.all([database.close(), sql.end()]));

interface Step {
  text: string;
  take(world: World): Promise<unknown> | unknown;
}

const worker = fc.nat(WORKERS - 1);
const which = fc.nat(3);
const error = { code: 'handler-error', message: 'no luck', attempt: 0 };
const outcome = fc.constantFrom<Outcome>(
  { status: 'succeeded', result: 'done' },
  { status: 'failed', error },
  { status: 'scheduled', error, delayMs: 1_000 },
  { status: 'scheduled', error: null, delayMs: 0 },
  { status: 'queued' },
  { status: 'cancelled' },
);

/** A kind of step, printed with its arguments. */
function step<Arguments extends unknown[]>(
  name: string,
  given: { [Index in keyof Arguments]: fc.Arbitrary<Arguments[Index]> },
  take: (world: World, ...given: Arguments) => Promise<unknown> | unknown,
): fc.Arbitrary<Step> {
  return fc.tuple<Arguments>(...given).map((values) => ({
    text: `${name} ${values.map((value) => JSON.stringify(value)).join(' ')}`,
    take: (world) => take(world, ...values),
    toString: () => `${name}(${values.map((value) => JSON.stringify(value)).join(', ')})`,
  }));
}

const steps = fc.oneof(
  {
    weight: 3,
    arbitrary: step(
      'create',
      [fc.integer({ min: 1, max: 3 }), fc.constantFrom(0, 1_000), fc.constantFrom(null, null, 'key')],
      (world, attempts, delayMs, dedupeKey) => world.create(attempts, delayMs, dedupeKey),
    ),
  },
  {
    weight: 6,
    arbitrary: step('relay', [fc.constantFrom('not', 'not', 'between', 'before')], (world, dies) => world.relay(dies)),
  },
  { weight: 8, arbitrary: step('deliver', [worker], (world, to) => world.deliver(to)) },
  {
    weight: 8,
    arbitrary: step('claim', [worker, which, fc.boolean()], claimInOrder),
  },
  { weight: 6, arbitrary: step('settle', [worker, which, outcome, fc.boolean()], settleInOrder) },
  { weight: 2, arbitrary: step('crash', [worker], (world, of) => world.crash(of)) },
  { weight: 2, arbitrary: step('cut off', [worker], (world, of) => world.cutOff(of)) },
  { weight: 1, arbitrary: step('wipe', [], (world) => world.wipe()) },
  { weight: 1, arbitrary: step('double dispatch message', [which], (world, n) => world.doubleDispatch(n)) },
  { weight: 2, arbitrary: step('cancel', [which], (world, n) => world.cancel(n)) },
  { weight: 2, arbitrary: step('retry', [which], retryInOrder) },
  { weight: 1, arbitrary: step('delete', [which], deleteInOrder) },
  { weight: 3, arbitrary: step('pass', [fc.constantFrom(2_000, 10_000)], (world, ms) => world.pass(ms)) },
  { weight: 1, arbitrary: step('reconcile', [], (world) => world.reconcile()) },
);

/** Nobody claims what a holder has whom the broker has not given up, and no two claims begin the same attempt. */
async function claimInOrder(world: World, by: number, n: number, answerLost: boolean): Promise<void> {
  const claim = await world.claim(by, n, answerLost);
  if (claim?.held) expect(claim).toMatchObject({ claimed: false });
  if (claim) expect(claim).toMatchObject({ shared: false });
}

/** A write lands, as what it says, exactly when its attempt is the one that holds the job; otherwise it changes nothing. */
async function settleInOrder(world: World, by: number, n: number, how: Outcome, answerLost: boolean): Promise<void> {
  const settled = await world.settle(by, n, how, answerLost);
  if (!settled) return;
  const { before, after, landed, attempt, status } = settled;
  expect(landed).toBe(before?.status === 'running' && before.attempt === attempt);
  if (landed) expect(after?.status).toBe(status);
  else expect(after).toEqual(before);
}

const isUnfinished = (job: Job): boolean => !isFinished(job.status);

/** Exactly what failed or was cancelled runs once more, unless another with its key is not finished. */
async function retryInOrder(world: World, n: number): Promise<void> {
  const retry = await world.retry(n);
  if (!retry) return;
  const { before, after, kind } = retry;
  if (before?.status === 'failed' || before?.status === 'cancelled') {
    const twins = (await world.rows()).filter(({ id }) => id !== before.id && world.keyed.has(id)).filter(isUnfinished);
    expect(kind).toBe(world.keyed.has(before.id) && twins.length > 0 ? 'duplicate' : 'queued');
  } else expect(kind).toBe(before === null ? null : 'refused');
  if (kind !== 'queued') return expect(after).toEqual(before);
  expect(after).toMatchObject({ status: 'queued', attempt: before?.attempt, error: null, finishedAt: null });
  expect(after?.maxAttempts).toBeGreaterThan(after?.attempt as number);
  expect(after?.errors).toEqual([...(before?.errors ?? []), ...(before?.error ? [before.error] : [])]);
}

/** Exactly what is finished can be deleted. */
async function deleteInOrder(world: World, n: number): Promise<void> {
  const deletion = await world.delete(n);
  if (deletion) expect(deletion.gone).toBe(deletion.before !== null && isFinished(deletion.before.status));
}

/** What must be true after every step, given how the jobs were before it. */
async function check(world: World, before: Map<string, Job>): Promise<void> {
  const jobs = await world.rows();
  const there = jobs.map(({ id }) => id);
  expect(there).toEqual(world.jobIds.filter((id) => !world.deleted.has(id)));
  expect(jobs.filter((job) => world.keyed.has(job.id) && isUnfinished(job)).length).toBeLessThanOrEqual(1);
  for (const job of jobs) {
    const earlier = before.get(job.id);
    if (earlier) {
      // One terminal state, unless somebody wants otherwise.
      if (!world.wasRetried(job.id) && isFinished(earlier.status)) expect(job).toEqual(earlier);
      expect(job.attempt).toBeGreaterThanOrEqual(earlier.attempt);
      expect(job.version).toBeGreaterThanOrEqual(earlier.version);
      if (job.version === earlier.version) expect(job.status).toBe(earlier.status);
    }
    expect(job.maxAttempts).toBe(world.allowed.get(job.id));
    expect(job.attempt).toBeLessThanOrEqual(job.maxAttempts);
    if (job.status === 'failed' && job.error?.code === 'worker-lost') expect(job.attempt).toBe(job.maxAttempts);
    // Each end it came to is told once, as it was, and nothing else is.
    const told = (await database.webhooks.list(job.id)) ?? [];
    expect(told).toHaveLength(world.ends(job));
    expect(told.at(-1)?.event === job.status).toBe(isFinished(job.status));
    if (world.unwanted.has(job.id)) expect(['running', 'succeeded', 'cancelled']).toContain(job.status);
    if (!isFinished(job.status) && !world.forgotten.has(job.id)) expect(await world.dispatches(job.id)).not.toEqual([]);
    before.set(job.id, job);
  }
}

it('keeps its promises whatever happens, in whatever order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { maxLength: 80, size: 'max' }), async (sequence) => {
      await sql.query('truncate jobs, outbox, webhook_deliveries');
      const world = createWorld(database, sql);
      const before = new Map<string, Job>();
      await world.create(3, 0);
      for (const { take } of sequence) {
        await take(world);
        await check(world, before);
      }
      await world.comeToRest();
      await check(world, before);
      for (const job of await world.rows()) expect([job.id, isFinished(job.status)]).toEqual([job.id, true]);
    }),
    { numRuns: Number(process.env['MODEL_RUNS'] ?? 100) },
  );
}, 3_600_000);
