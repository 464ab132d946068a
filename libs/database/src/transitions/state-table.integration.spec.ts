import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Job } from '@offload/jobs';
import { freshDatabaseUrl } from '@offload/spec-kit';
import pg from 'pg';
import { migrate } from '../migrate.ts';
import { openDatabase, type Database } from '../open-database.ts';
import { createWorld, type World } from '../spec-world.ts';
import type { Outcome } from './settle-jobs.ts';
import { transitions } from './state-table.ts';

const url = freshDatabaseUrl();
let database: Database;
let sql: pg.Pool;

beforeAll(async () => {
  await migrate(url);
  database = openDatabase({ url, dispatchGraceMs: 0 });
  sql = new pg.Pool({ connectionString: url });
});
afterAll(() => Promise.all([database.close(), sql.end()]));

type Step = (world: World) => unknown;

const error = { code: 'handler-error', message: 'no luck', attempt: 0 };
const accept =
  (delayMs = 0): Step =>
  (world) =>
    world.create(3, delayMs);
const settle =
  (outcome: Outcome): Step =>
  (world) =>
    world.settle(0, 0, outcome, false);
const pass: Step = (world) => world.pass(2_000);
const dispatch: Step = (world) => world.relay('not');
const dispatchUnconfirmed: Step = (world) => world.relay('between');
const deliver: Step = (world) => world.deliver(0);
const claim: Step = (world) => world.claim(0, 0, false);
const crash: Step = (world) => world.crash(0);
const wipe: Step = (world) => world.wipe();
const reconcile: Step = (world) => world.reconcile();
const cancel: Step = (world) => world.cancel(0);
const retry: Step = (world) => world.retry(0);
const remove: Step = (world) => world.delete(0);
const run = [dispatch, deliver, claim];

/** Lives of one job each; together they take every way. */
const lives: Step[][] = [
  [accept(), ...run, settle({ status: 'succeeded', result: 1 }), remove],
  [accept(), ...run, settle({ status: 'failed', error }), retry, ...run, settle({ status: 'failed', error }), remove],
  [accept(), ...run, settle({ status: 'queued' }), deliver, claim, cancel, settle({ status: 'cancelled' }), remove],
  [accept(), ...run, crash, deliver, claim, settle({ status: 'scheduled', error, delayMs: 0 })],
  [accept(), ...run, wipe, crash, reconcile],
  [accept(1_000), cancel, retry, cancel],
  [accept(1_000), pass, dispatch],
  [accept(1_000), pass, dispatchUnconfirmed, deliver, claim],
];

const wayOf = (from: Job | null, to: Job | null): string => nameOf({ from: from?.status, to: to?.status });
const nameOf = ({ from, to }: { from?: string | null | undefined; to?: string | null | undefined }): string =>
  `${from ?? 'none'} → ${to ?? 'none'}`;

it('is what the database functions do: no way is missing, none too many', async () => {
  const taken = new Set<string>();
  for (const life of lives) {
    await sql.query('truncate jobs, outbox, webhook_deliveries');
    const world = createWorld(database, sql);
    let before = null as Job | null;
    for (const step of life) {
      await step(world);
      const [after = null] = await world.rows();
      const isNewAttempt = after?.status === 'running' && after.attempt !== before?.attempt;
      if (before?.status !== after?.status || isNewAttempt) taken.add(wayOf(before, after));
      before = after;
    }
  }
  expect([...taken].sort()).toEqual(transitions.map(nameOf).sort());
});
