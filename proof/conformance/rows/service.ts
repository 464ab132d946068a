import assert from 'node:assert/strict';
import { rowsOf } from '../row.ts';
import { queues } from '../world.ts';

/** Beside the jobs: request ids, health, metrics, and the contract itself. */
export const service = rowsOf('Contract', [
  {
    section: 'Request id',
    rule: 'An id of more than 128 characters is replaced',
    asked: 'GET /healthz, X-Request-Id of 129 characters',
    request: { path: '/healthz', headers: { 'x-request-id': 'x'.repeat(129) } },
    expect: { status: 200, headers: { 'X-Request-Id': /^[0-9a-f-]{36}$/ } },
  },
  {
    section: 'Health',
    rule: '/healthz answers 200 while the process runs, with a database or without',
    request: { path: '/healthz', at: 'stranded' },
    expect: { status: 200, body: { status: 'alive' } },
  },
  {
    section: 'Health',
    rule: '/readyz answers 503 without the database, and names it',
    request: { path: '/readyz', at: 'stranded' },
    expect: { status: 503, body: { status: 'unavailable', checks: { database: /\w/, broker: 'ok' } } },
  },
  {
    section: 'Job types',
    rule: 'Each type comes with its policy and the JSON Schemas of payload and result',
    asked: 'GET /v1/job-types',
    answered: '200, each type',
    async run({ get }) {
      type Types = {
        jobTypes: { type: string; payloadSchema: { type: string }; resultSchema: object; queue: string }[];
      };
      const { jobTypes } = await get<Types>({ path: '/v1/job-types' });
      for (const { payloadSchema, resultSchema, queue } of jobTypes)
        assert.deepEqual([payloadSchema.type, typeof resultSchema, typeof queue], ['object', 'object', 'string']);
      const { queue, payloadSchema } =
        jobTypes.find(({ type }) => type === 'demo.sleep') ?? assert.fail('no demo.sleep');
      assert.deepEqual([payloadSchema.type, queue], ['object', 'default']);
    },
  },
  {
    section: 'Queues',
    rule: 'Each queue comes with its jobs and consumers',
    asked: 'GET /v1/queues, with a job waiting in one',
    answered: '200, ready, running, scheduled, consumers and oldestWaitingMs of each queue',
    async run({ get, job }) {
      await job('queued');
      type Queues = { queues: { queue: string; ready: number; consumers: number; oldestWaitingMs: number }[] };
      const { queues: all } = await get<Queues>({ path: '/v1/queues' });
      assert.deepEqual(all.map(({ queue }) => queue).sort(), [...queues].sort());
      const [idle, worked] = ['idle', 'default'].map((name) => all.find(({ queue }) => queue === name));
      assert.ok(Number(idle?.ready) >= 1 && Number(idle?.oldestWaitingMs) >= 0, JSON.stringify(idle));
      assert.equal(idle?.consumers, 0);
      assert.equal(worked?.consumers, 1);
    },
  },
  {
    section: 'OpenAPI',
    rule: 'The examples of the contract are accepted',
    asked: 'POST of each example in /openapi.json',
    answered: '202; 200 with an event token; 410 to a claim of a job that is not there',
    async run({ ask, get }) {
      type Examples = { examples: Record<string, { value: object }> };
      type Operation = { requestBody?: { content: { 'application/json': Examples } } };
      type Document = { paths: Record<string, { post?: Operation }> };
      const { paths } = await get<Document>({ path: '/openapi.json' });
      for (const [path, { post }] of Object.entries(paths)) {
        for (const { value } of Object.values(post?.requestBody?.content['application/json'].examples ?? {})) {
          const single = { dedupeKey: undefined, queue: 'idle' }; // rows run repeatedly, and must call no URL
          const ofJob =
            'jobs' in value
              ? { jobs: (value.jobs as object[]).map((job) => ({ ...job, ...single })) }
              : { ...value, ...single };
          const isOfJob = path.startsWith('/v1/jobs');
          const { status, body: answer } = await ask({ path, body: isOfJob ? ofJob : value });
          assert.equal(status, isOfJob ? 202 : path === '/v1/claims' ? 410 : 200, answer);
        }
      }
    },
  },
  {
    section: 'OpenAPI',
    rule: 'The page to try the api loads nothing from another host',
    asked: 'GET /docs, and what it loads',
    answered: '200, paths of this api alone; Content-Security-Policy',
    async run({ ask }) {
      const { body, headers } = await ask({ path: '/docs' });
      assert.match(String(headers['content-security-policy']), /default-src 'none'; script-src 'self'/);
      assert.doesNotMatch(String(headers['content-security-policy']), /https?:|\*/);
      const loaded = [...body.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, path]) => String(path));
      assert.ok(loaded.length >= 3, body);
      for (const path of loaded) {
        assert.match(path, /^\/(?!\/)/);
        assert.equal((await ask({ path })).status, 200, path);
      }
    },
  },
  {
    section: 'Request id',
    rule: 'An unreadable request gets an id, too',
    asked: 'no HTTP at all',
    wire: 'nonsense\r\n\r\n',
    expect: [{ status: 400, headers: { 'X-Request-Id': /^[0-9a-f-]{36}$/ } }],
    broken: true,
  },
]);
