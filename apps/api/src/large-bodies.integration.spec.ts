import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { DatabaseUnavailableError } from '@offload/database';
import { listen } from '@offload/http';
import { createMetrics } from '@offload/process';
import { eventually } from '@offload/spec-kit';
import { useApi } from './spec-api.ts';
import type { AppParts } from './app.ts';

const MIB = 1024 ** 2;
const CSV = 'x'.repeat(MIB - 1_000);
const api = useApi({ maxBytesInFlight: 2 * MIB });

let number = 0;
/** The body of a post; no two have the same tag. */
function large(more: object = {}): { body: Buffer; tag: string } {
  const tag = `large ${(number += 1)}`;
  return {
    body: Buffer.from(JSON.stringify({ type: 'csv.profile', payload: { csv: CSV }, tags: [tag], ...more })),
    tag,
  };
}

async function serve(parts: Partial<AppParts> = {}) {
  const metrics = createMetrics();
  const server = await listen(api.app({ metrics, ...parts }), { host: '127.0.0.1', port: 0 });
  const send = async (body: Buffer, headers: Record<string, string> = {}, path = '/v1/jobs') => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: new Uint8Array(body),
    });
    return {
      status: response.status,
      body: (await response.json()) as { id: string; payload: { csv: string } | null },
    };
  };
  const get = async (path: string, headers: Record<string, string> = {}) =>
    (await fetch(`http://127.0.0.1:${server.port}${path}`, { headers })).json();
  const bytes = async () => (await metrics.getSingleMetric('http_bytes_in_flight')?.get())?.values[0]?.value;
  return { send, get, bytes, close: () => server.close(0) };
}

let plain: Awaited<ReturnType<typeof serve>>;
beforeAll(async () => void (plain = await serve()));
afterAll(() => plain.close());

/** Waits until the request for this job holds nothing but a place. */
async function held(id: string): Promise<void> {
  await eventually(async () => {
    expect(api.parts.waiters.wants(id)).toBe(true);
    expect(await plain.bytes()).toBe(0);
  });
}

it('takes no room for the bodies of held requests, and answers them whole', async () => {
  const answers = [];
  const ids: string[] = [];
  for (const [more, headers] of [
    [{}, {}],
    [{ dedupeKey: 'once' }, {}],
    [{}, { 'Idempotency-Key': '"held"' }],
  ] as const) {
    const { body, tag } = large(more);
    if (Object.keys({ ...more, ...headers }).length > 0) await plain.send(body, headers); // there is such a job already
    answers.push(plain.send(body, { Prefer: 'wait=60', ...headers }));
    ids.push(await api.posted(tag));
    await held(ids.at(-1) as string);
  }
  expect((await plain.send(large().body)).status).toBe(202);
  for (const id of ids) {
    await api.claim(id);
    await api.finish(id, { status: 'failed', error: { code: 'permanent', message: 'spec', attempt: 1 } });
    await answers[ids.indexOf(id)];
  }
  for (const { status, body } of await Promise.all(answers)) expect([status, body.payload?.csv]).toEqual([200, CSV]);
});

it.each<[what: string, path: string, wrap: (json: string) => string]>([
  ['a job', '/v1/jobs', (json) => json],
  ['a batch', '/v1/jobs/batch', (json) => `{"jobs":[${json}]}`],
])(
  'refuses answers of a large job to posts of %s that have made nothing, beyond the budget',
  async (_what, path, wrap) => {
    const dedupeKey = `large at ${path}`;
    await plain.send(large({ dedupeKey }).body);
    let [arrived, open] = [0, (): void => undefined];
    const opened = new Promise<void>((resolve) => (open = resolve));
    const together = async () => {
      if ((arrived += 1) === 10) open();
      await opened; // so that they are answered in one turn
    };
    const { jobs } = api.database;
    const { send, close } = await serve({
      database: {
        ...api.database,
        jobs: {
          ...jobs,
          submit: async (submission) => (path === '/v1/jobs' && (await together()), jobs.submit(submission)),
          getFirst: (ids) => jobs.getFirst(ids).finally(together),
        },
      },
    });
    const twin = Buffer.from(wrap(JSON.stringify({ type: 'csv.profile', payload: { csv: 'a,b' }, dedupeKey })));
    const answers = await Promise.all(Array.from({ length: 10 }, () => send(twin, {}, path)));
    const statuses = answers.map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([path === '/v1/jobs' ? 200 : 202, 503]));
    expect((await send(twin, {}, path)).status).toBeLessThan(300);
    await close();
  },
);

it('shows a large job that a batch finds many times in full in some places only', async () => {
  const dedupeKey = 'a thousand times';
  const { body } = large({ dedupeKey });
  await plain.send(body);
  const twin = { type: 'csv.profile', payload: { csv: 'a,b' }, dedupeKey };
  const batch = JSON.stringify({
    jobs: [...Array.from({ length: 999 }, () => twin), { ...twin, dedupeKey: 'not there' }],
  });
  const answer = await plain.send(Buffer.from(batch), {}, '/v1/jobs/batch');
  const jobs = (answer.body as unknown as { jobs: { id: string; payload: { csv: string } | null }[] }).jobs;
  expect(answer.status).toBe(202);
  expect(jobs.map(({ payload }) => payload?.csv.length ?? null)).toEqual([
    ...[CSV.length, CSV.length],
    ...Array.from({ length: 997 }, () => null),
    'a,b'.length,
  ]);
  expect(new Set(jobs.map(({ id }) => id)).size).toBe(2);
});

it('shows of many large jobs that a batch finds the first ones whole, also when it is repeated', async () => {
  const dedupeKeys = [1, 2, 3, 4, 5].map((each) => `found ${each}`);
  const ids: string[] = [];
  for (const dedupeKey of dedupeKeys) ids.push((await plain.send(large({ dedupeKey }).body)).body.id);
  const twins = dedupeKeys.map((dedupeKey) => ({ type: 'csv.profile', payload: { csv: 'a,b' }, dedupeKey }));
  const batch = Buffer.from(JSON.stringify({ jobs: twins }));
  for (const key of ['many', 'many']) {
    const answer = await plain.send(batch, { 'Idempotency-Key': `"${key}"` }, '/v1/jobs/batch');
    const { jobs } = answer.body as unknown as { jobs: { id: string; payload: { csv: string } | null }[] };
    expect(jobs.map(({ id }) => id)).toEqual(ids);
    expect(jobs.map(({ payload }) => payload?.csv.length ?? null)).toEqual([CSV.length, CSV.length, null, null, null]);
  }
  const single = Buffer.from(JSON.stringify(twins[4]));
  for (const key of ['one', 'one']) {
    const { status, body } = await plain.send(single, { 'Idempotency-Key': `"${key}"` });
    expect([status, body.id, body.payload?.csv.length]).toEqual([200, ids[4], CSV.length]);
  }
});

it('answers with null for a large payload where the job can not be read any more', async () => {
  const get = () => Promise.reject(new DatabaseUnavailableError(new Error('spec')));
  const unreadable = { ...api.database, jobs: { ...api.database.jobs, get } };
  const { send, close } = await serve({ database: unreadable });
  const headers = { Prefer: 'wait=1' };
  const small = Buffer.from('{"type":"csv.profile","payload":{"csv":"a,b"}}');
  const answers = await Promise.all([send(large().body, headers), send(small, headers)]);
  expect(answers).toMatchObject([
    { status: 202, body: { payload: null } },
    { status: 202, body: { payload: { csv: 'a,b' } } },
  ]);
  await close();
});

it.each<[what: string, ask: (body: Buffer, dedupeKey: string) => Promise<unknown>]>([
  ['the post of it', (body) => plain.send(body, { Prefer: 'wait=60' })],
  [
    'a GET of it',
    async (body) => {
      const { id } = (await plain.send(body)).body;
      return plain.get(`/v1/jobs/${id}`, { Prefer: 'wait=60' });
    },
  ],
  [
    'a small post that finds it',
    async (body, dedupeKey) => {
      await plain.send(body);
      const twin = Buffer.from(JSON.stringify({ type: 'csv.profile', payload: { csv: 'a,b' }, dedupeKey }));
      return plain.send(twin, { Prefer: 'wait=60' });
    },
  ],
])('keeps no large payload in memory while %s is held, and answers it whole', async (_what, ask) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const heapUsed = () => (collect(), process.memoryUsage().heapUsed);
  const before = heapUsed();
  const answers = [];
  const ids: string[] = [];
  for (let count = 0; count < 6; count += 1) {
    const dedupeKey = `held ${(number += 1)}`;
    const { body, tag } = large({ dedupeKey });
    answers.push(ask(body, dedupeKey));
    ids.push(await api.posted(tag));
    await held(ids.at(-1) as string);
    await api.database.jobs.get(ids.at(-1) as string); // after the one for the request, if that has read it
  }
  await eventually(() => expect(heapUsed() - before).toBeLessThan(3 * MIB));
  const [first] = ids as [string];
  await api.claim(first);
  await api.finish(first, { status: 'failed', error: { code: 'permanent', message: 'spec', attempt: 1 } });
  const answer = (await answers[0]) as { body?: object };
  expect(answer.body ?? answer).toMatchObject({ status: 'failed', payload: { csv: CSV } });
  for (const id of ids.slice(1)) await api.database.jobs.cancel(id);
  await api.parts.waiters.refresh();
  await Promise.all(answers);
});
