import { beforeAll, expect, it } from '@jest/globals';
import { jobRegistration } from '@offload/jobs/definitions';
import pg from 'pg';
import { useJobs } from '../transitions/spec-jobs.ts';

const jobs = useJobs();
const type = 'image.resize';

beforeAll(async () => {
  const backoff = { baseMs: 10, factor: 3, maxMs: 100 };
  const registration = { type, queue: 'images', timeoutMs: 5, maxAttempts: 2, backoff, payloadSchema: {} };
  const worker = { instance: 'mailer', version: '1.2.3', queues: ['mail'], slots: 1, types: {}, draining: false };
  const other = { type: 'image.crop', queue: 'crops', payloadSchema: {} };
  await jobs.database.jobTypes.register(
    [registration, other].map((each) => jobRegistration.parse(each)),
    worker,
  );
});

async function submit(more = '', values: unknown[] = []): Promise<string> {
  const text = `select offload.submit('${type}', '{"width":1}'${more}) as id`;
  return (await jobs.query<{ id: string }>(text, values))[0]?.id as string;
}

it('creates a job by the policy of its type, with a pending dispatch message at once', async () => {
  const id = await submit();
  expect(await jobs.read(id)).toMatchObject({
    ...{ type, queue: 'images', status: 'queued', payload: { width: 1 }, priority: 0, tags: [], maxAttempts: 2 },
    ...{ attempt: 0, version: 1 },
  });
  const pending = await jobs.database.outbox.takeDue(100, 60_000);
  expect(pending.filter(({ jobId }) => jobId === id)).toMatchObject([{ type, queue: 'images', priority: 0 }]);
  expect(await jobs.claim(id)).toMatchObject({ typeVersion: 1, timeoutMs: 5, backoff: { factor: 3 } });
});

it('creates nothing if the transaction of its caller is rolled back', async () => {
  const client = new pg.Client({ connectionString: jobs.url });
  await client.connect();
  await client.query('begin');
  const { rows } = await client.query<{ id: string }>(`select offload.submit('${type}', '{}') as id`);
  await client.query('rollback');
  await client.end();
  expect(rows[0]?.id).toMatch(/^[0-9a-f-]{36}$/);
  expect(await jobs.read(rows[0]?.id as string)).toBeNull();
  expect(await jobs.pending(rows[0]?.id as string)).toBe(0);
});

it('creates the job that its caller describes', async () => {
  const id = await submit(
    `, queue => 'mail', run_at => now() + interval '1 hour', priority => 7, max_attempts => 9, timeout_ms => 8,
      tags => $1`,
    [['a', 'b']],
  );
  const made = { queue: 'mail', status: 'scheduled', priority: 7, maxAttempts: 9, tags: ['a', 'b'] };
  expect(await jobs.read(id)).toMatchObject(made);
  expect(await jobs.pending(id)).toBe(1);
});

it('takes the queues of registered types and of workers', async () => {
  for (const queue of ['images', 'crops', 'mail']) {
    expect(await jobs.read(await submit(`, queue => '${queue}'`))).toMatchObject({ queue });
  }
});

it('refuses an unknown queue with its own message and code', async () => {
  await expect(submit(`, queue => 'mial'`)).rejects.toMatchObject({
    code: '22023', // invalid_parameter_value
    message:
      'offload.submit: queue "mial" is neither the own one of a registered job type nor one that a worker consumes',
  });
});

it('returns the unfinished job with the dedupe key', async () => {
  const both = await Promise.all([submit(`, dedupe_key => 'one'`), submit(`, dedupe_key => 'one'`)]);
  expect(both[0]).toBe(both[1]);
  expect(await jobs.pending(both[0] as string)).toBe(1);
  await jobs.database.jobs.cancel(both[0] as string);
  expect(await submit(`, dedupe_key => 'one'`)).not.toBe(both[0]);
});

it.each([
  [`select offload.submit('nope', '{}')`, /"nope" is no registered job type/],
  [`select offload.submit('${type}', null)`, /payload must not be null/],
  [`select offload.submit('${type}', '{}', priority => 10)`, /priority must be/],
  [`select offload.submit('${type}', '{}', max_attempts => 0)`, /max_attempts must be/],
  [`select offload.submit('${type}', '{}', run_at => 'infinity')`, /run_at must be/],
  [`select offload.submit('${type}', '{}', run_at => '10000-01-01')`, /run_at must be/],
  [`select offload.submit('${type}', '{}', queue => 'A queue')`, /queue must be/],
  [`select offload.submit('${type}', '{}', dedupe_key => '')`, /dedupe_key must have/],
  [`select offload.submit('${type}', '{}', tags => array_fill('a'::text, '{17}'))`, /tags are/],
])('refuses a job that the api refuses: %s', async (text, message) => {
  await expect(jobs.query(text)).rejects.toThrow(message);
});

it('can be granted to roles without rights to the tables', async () => {
  await jobs.query('drop role if exists "offload spec caller"');
  await jobs.query('create role "offload spec caller"');
  const client = new pg.Client({ connectionString: jobs.url });
  await client.connect();
  const call = () => client.query(`select offload.submit('${type}', '{}')`);
  await client.query('set role "offload spec caller"');
  await expect(call()).rejects.toThrow(/permission denied/);
  await jobs.query('grant usage on schema offload to "offload spec caller"');
  await expect(call()).rejects.toThrow(/permission denied for function/);
  await jobs.query('grant execute on function offload.submit to "offload spec caller"');
  await expect(call()).resolves.toMatchObject({ rowCount: 1 });
  await expect(client.query('select from jobs')).rejects.toThrow(/permission denied/);
  await client.end();
  await jobs.query('drop owned by "offload spec caller"');
  await jobs.query('drop role "offload spec caller"');
});
