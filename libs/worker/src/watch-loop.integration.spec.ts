import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { migrate, openDatabase, type Claim, type Database } from '@offload/database';
import { eventually, freshDatabaseUrl } from '@offload/spec-kit';

const url = freshDatabaseUrl();
let database: Database;
beforeAll(async () => {
  await migrate(url);
  database = openDatabase({ url });
});
afterAll(() => database.close());

/** A running job of a worker. */
async function running(type: string) {
  const [id, dispatchId] = [randomUUID(), randomUUID()];
  const backoff = { baseMs: 10, factor: 2, maxMs: 100 };
  const policy = { queue: 'default', priority: 0, tags: [], maxAttempts: 2, timeoutMs: 1_000, backoff, delayMs: 0 };
  await database.jobs.create({ id, type, payload: null, runAt: null, ...policy });
  const claim = (deliveryCount: number): Promise<Claim> =>
    database.jobs.claim({
      jobId: id,
      dispatchId,
      deliveryCount,
      redelivered: deliveryCount > 0,
      claimId: randomUUID(),
      holder: 'x',
    });
  await claim(0);
  return { id, type, takeOver: () => claim(1) };
}

/** A process in which these jobs run, and which one of them blocks until it is freed. */
function blockedBy(jobs: { id: string; type: string }[]) {
  const program = join(import.meta.dirname, 'spec-blocked-process.ts');
  const args = ['--import', 'tsx', '--conditions=@offload/source', program, url];
  const child = spawn(process.execPath, [...args, ...jobs.map(({ id, type }) => `${id}:${type}`)], {
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines: { msg: string; level: string; name: string; instance: string; blockedMs: number }[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line)));
  const saidOf = (what: RegExp) => lines.filter(({ msg }) => what.test(msg));
  return {
    saidOf,
    /** It tells at growing intervals, and notes before it tells the next time. */
    hasNoted: () =>
      eventually(
        () => expect(saidOf(/is blocked/).filter(({ blockedMs }) => blockedMs > 200).length).toBeGreaterThan(1),
        {
          timeoutMs: 40_000,
        },
      ),
    free: () => child.stdin.write('\n'),
    async end() {
      child.stdin.end();
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

it('logs while the event loop is blocked which job blocks it and for how long; so does the error of its takeover', async () => {
  const job = await running('spec.blocks');
  const worker = blockedBy([job]);
  await worker.hasNoted();
  const [first, second] = worker.saidOf(/is blocked/);
  expect(first).toMatchObject({ level: 'warn', name: 'worker', instance: 'blocked-worker' });
  expect(first?.msg).toMatch(new RegExp(`blocked for .* s by spec.blocks \\(job ${job.id}\\)$`));
  expect(second?.blockedMs).toBeGreaterThanOrEqual(2 * (first?.blockedMs ?? 0));

  expect(await job.takeOver()).toMatchObject({ kind: 'claimed', takeover: true });
  const message = expect.stringMatching(
    new RegExp(`^the event loop of its worker had been blocked for .* s by spec.blocks \\(job ${job.id}\\)$`),
  );
  expect((await database.jobs.get(job.id))?.errors).toMatchObject([{ code: 'worker-lost', attempt: 1, message }]);

  worker.free();
  const freed = () => expect(worker.saidOf(/turns again: it was blocked for .* s by spec.blocks/)).toHaveLength(1);
  await eventually(freed, { timeoutMs: 20_000 });
  await worker.end();
}, 90_000);

it('names each job that may be the one when several run, on the rows of all of them', async () => {
  const jobs = [await running('spec.one'), await running('spec.other')];
  const worker = blockedBy(jobs);
  await worker.hasNoted();
  for (const job of jobs) {
    await job.takeOver();
    const message = expect.stringMatching(/by one of spec.one \(job .*\), spec.other \(job .*\)$/);
    expect((await database.jobs.get(job.id))?.errors).toMatchObject([{ code: 'worker-lost', message }]);
  }
  worker.free();
  await worker.end();
}, 90_000);

it('removes its note when the event loop turns again', async () => {
  const job = await running('spec.blocks');
  const worker = blockedBy([job]);
  await worker.hasNoted();
  worker.free();
  await eventually(() => expect(worker.saidOf(/turns again/)).toHaveLength(1), { timeoutMs: 20_000 });
  await worker.end();
  await job.takeOver();
  const message = 'the worker that ran this attempt is gone';
  expect((await database.jobs.get(job.id))?.errors).toMatchObject([{ code: 'worker-lost', attempt: 1, message }]);
}, 90_000);
