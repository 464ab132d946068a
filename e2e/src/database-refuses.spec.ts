import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import {
  databaseUrl,
  sql,
  startProgram,
  startSystem,
  startTarget,
  type System,
  type SystemProcess,
  type Target,
  withClient,
} from '@offload/running-system';
import { finished, post, submit } from '@offload/running-system/requests';

let system: System;
let api: SystemProcess;
let worker: SystemProcess;
let target: Target;

beforeAll(async () => {
  system = await startSystem();
  const { pathname } = new URL(system.databaseUrl);
  await sql(system.databaseUrl, `alter database ${pathname.slice(1)} set lock_timeout = '500ms'`);
  [api, worker] = await Promise.all([system.startApi(), system.startWorker({ ALLOW_PRIVATE_TARGETS: 'true' })]);
});
beforeEach(async () => {
  target = await startTarget();
});
afterEach(() => target.close());
afterAll(() => system?.stop());

/** Submits a job that runs until its target answers. */
async function running() {
  const job = await submit(api, { type: 'http.request', payload: { url: target.url }, maxAttempts: 1 });
  return { job, request: await target.next() };
}

it('keeps an outcome while its table is locked, and answers 503 with Retry-After', async () => {
  const { job, request } = await running();
  await withClient(system.databaseUrl, async (admin) => {
    await admin.query('begin; set local lock_timeout = 0; lock table jobs in access exclusive mode');
    request.answer(200, 'done');
    await worker.line(({ msg, jobId }) => msg.startsWith('the outcome has to wait') && jobId === job.id);

    for (const answer of [
      await post(api, { type: 'demo.sleep', payload: { seconds: 0 } }),
      await fetch(`${api.url}/v1/jobs/${job.id}`),
      await fetch(`${api.url}/v1/jobs`),
    ]) {
      expect(answer.status).toBe(503);
      expect(answer.headers.get('retry-after')).toBe('1');
      expect(await answer.json()).toMatchObject({ type: '/problems/database-unavailable' });
    }
  });
  expect(await finished(api, job)).toMatchObject({ status: 'succeeded', attempt: 1, errors: [] });
});

it('fails a job whose result is refused with the reason, and not as worker-lost', async () => {
  await sql(system.databaseUrl, `alter table jobs add constraint spec check (result->>'body' <> 'refused') not valid`);
  const { job, request } = await running();
  request.answer(200, 'refused');
  const done = await finished(api, job);
  expect(done).toMatchObject({ status: 'failed', attempt: 1, errors: [] });
  expect(done.error).toMatchObject({ code: 'outcome-not-stored', message: expect.stringContaining('"spec"') });
});

it.each([
  ['libs/database/src/run-migrations.ts', 78],
  ['apps/api/src/main.ts', 1],
  ['apps/worker/src/main.ts', 1],
  ['apps/notifier/src/main.ts', 1],
])('ends %s at its start with the reason, if the encoding is not supported', async (file, code) => {
  const name = `latin_${randomUUID().replaceAll('-', '')}`;
  const options = `encoding 'LATIN1' locale 'C' locale_provider libc template template0`;
  await sql(system.databaseUrl, `create database ${name} ${options}`);
  const ports = { API_PORT: '0', WORKER_PORT: '0', NOTIFIER_PORT: '0' };
  const program = startProgram(file, {
    ...system.environment,
    ...ports,
    DATABASE_URL: databaseUrl(system.databaseUrl, name),
  });
  const ended = await program.exited;
  expect(ended.output).toMatch(/the database .* has the encoding LATIN1 and needs UTF8/);
  expect(ended.code).toBe(code);
});
