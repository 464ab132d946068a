import assert from 'node:assert/strict';
import { rowsOf, type Expected } from '../row.ts';
import { sleep } from '../scene.ts';

const path = '/v1/jobs';
const post = (more: object) => ({ path, body: { ...sleep, ...more } });
const later = { delayMs: 3_600_000 };
const wrong = (...pointers: string[]): Expected => ({
  status: 400,
  problem: 'invalid-request',
  body: { errors: pointers.map((pointer) => ({ pointer })) },
});

/** What a job may be (`POST /v1/jobs`). */
export const submission = rowsOf('Contract', [
  {
    section: 'Submit',
    rule: 'Only type and payload are needed; the rest comes from the job type',
    request: { path, body: { type: 'demo.sleep', payload: {}, delayMs: 60_000 } },
    expect: {
      status: 202,
      headers: { Location: /^\/v1\/jobs\/[0-9a-f-]{36}$/, 'Retry-After': /^\d+$/ },
      body: { payload: { seconds: 10 }, queue: 'default', priority: 0, tags: [], maxAttempts: 5 },
    },
  },
  {
    section: 'Submit',
    rule: 'A new job has not begun',
    request: post(later),
    expect: {
      status: 202,
      body: {
        ...{ status: 'scheduled', attempt: 0, version: 1, result: null, error: null, errors: [], progress: null },
        ...{ startedAt: null, finishedAt: null, durationMs: null },
      },
    },
  },
  {
    section: 'Submit',
    rule: 'A job says where it is, and where its events are',
    given: 'scheduled',
    request: { path: `${path}/{id}` },
    expect: {
      status: 200,
      body: { links: { self: '/v1/jobs/{id}', events: 'http://notifier.example/v1/jobs/{id}/events' } },
    },
  },
  {
    section: 'Submit',
    rule: 'Everything that may be said of a job is taken',
    request: post({
      ...{ runAt: '2020-01-01T00:00:00Z', delayMs: 0, queue: 'idle', priority: 9, maxAttempts: 100, timeoutMs: 1 },
      ...{ backoff: { baseMs: 0, factor: 10, maxMs: 86_400_000 }, dedupeKey: '{unique}', tags: ['one', 'größer'] },
    }),
    asked: `POST ${path} with every member`,
    expect: {
      status: 202,
      body: { queue: 'idle', priority: 9, maxAttempts: 100, tags: ['one', 'größer'], status: 'queued' },
    },
  },
  {
    section: 'Submit',
    rule: 'A member that is not known is refused by its name, and so is each other fault',
    request: post({ colour: 'red', webhooks: {}, maxAttempts: 0 }),
    expect: wrong('/maxAttempts', '/colour', '/webhooks'),
  },
  {
    section: 'Submit',
    rule: 'A type that is not known is refused',
    request: { path, body: { ...sleep, type: 'constructor' } },
    expect: wrong('/type'),
  },
  {
    section: 'Submit',
    rule: 'A payload must fit its type',
    request: post({ payload: { seconds: 3_601 } }),
    expect: wrong('/payload/seconds'),
  },
  {
    section: 'Submit',
    rule: 'delayMs makes the job due so much later',
    asked: `POST ${path} {"delayMs":90000, …}`,
    answered: '202 scheduled, dueAt 90 s behind createdAt, Retry-After until then',
    async run({ ask }) {
      const { body, headers } = await ask(post({ delayMs: 90_000 }));
      const job = JSON.parse(body) as { status: string; dueAt: string; createdAt: string };
      assert.equal(Date.parse(job.dueAt) - Date.parse(job.createdAt), 90_000);
      assert.deepEqual([job.status, headers['retry-after']], ['scheduled', '90']);
    },
  },
  {
    section: 'Submit',
    rule: 'runAt makes the job due at that time',
    asked: `POST ${path} {"runAt": in an hour, …}`,
    answered: '202 scheduled, dueAt as it was asked for',
    async run({ get }) {
      const runAt = new Date(Date.now() + 3_600_000).toISOString();
      const job = await get(post({ runAt }), 202);
      assert.deepEqual([job.status, job.dueAt], ['scheduled', runAt]);
    },
  },
  {
    section: 'Submit',
    rule: 'A runAt in the past is due at once',
    request: post({ runAt: '2020-01-01T00:00:00Z', queue: 'idle' }),
    expect: { status: 202, body: { status: 'queued', dueAt: '2020-01-01T00:00:00.000Z' } },
  },
  {
    section: 'Submit',
    rule: 'runAt and delayMs exclude each other',
    request: post({ runAt: '2020-01-01T00:00:00Z', delayMs: 1 }),
    expect: wrong('/delayMs'),
  },
  {
    section: 'Submit',
    rule: 'A priority is 0 to 9',
    request: post({ priority: 10 }),
    expect: wrong('/priority'),
  },
  {
    section: 'Submit',
    rule: 'A priority goes with the job to its queue',
    asked: `POST ${path} {"priority":7, …}`,
    answered: '202; the ring has priority 7',
    async run({ get, ringOf }) {
      const { id } = await get(post({ priority: 7, queue: 'traced' }), 202);
      assert.equal((await ringOf(id)).priority, 7);
      await get({ method: 'POST', path: `${path}/${id}/cancel` });
    },
  },
  {
    section: 'Submit',
    rule: 'There are 16 tags at most',
    request: post({ tags: Array(17).fill('t') }),
    asked: `POST ${path} with 17 tags`,
    expect: wrong('/tags'),
  },
  {
    section: 'Submit',
    rule: 'A tag has 1 to 64 characters',
    request: post({ tags: ['t'.repeat(64), 't'.repeat(65)] }),
    asked: `POST ${path} with tags of 64 and 65 characters`,
    expect: wrong('/tags/1'),
  },
  {
    section: 'Submit',
    rule: 'A tag has no control characters',
    request: post({ tags: ['fine', 'a\u0000b'] }),
    expect: wrong('/tags/1'),
  },
  {
    section: 'Submit',
    rule: 'A tag may have joiners, marks and emoji of several characters',
    request: post({ tags: ['می\u200cخواهم', '👩\u200d👧', 'e\u0301'], queue: 'idle' }),
    expect: { status: 202, body: { tags: ['می\u200cخواهم', '👩\u200d👧', 'e\u0301'] } },
  },
  {
    section: 'Submit',
    rule: 'A tag has no bidirectional overrides and no halves of surrogate pairs',
    request: post({ tags: ['fine', 'user\u202enimda'] }),
    expect: wrong('/tags/1'),
  },
  {
    section: 'Submit',
    rule: 'A queue must be one of those there are',
    request: post({ queue: 'nowhere' }),
    expect: wrong('/queue'),
  },
  {
    section: 'Submit',
    rule: 'maxAttempts: a job that fails for good is not tried again, one that times out is',
    asked: `POST ${path} {"timeoutMs":50, "maxAttempts":2, …}, Prefer: wait=20`,
    answered: '200 failed by timeout, attempt 2, with the error of the first',
    async run({ get }) {
      const more = {
        payload: { seconds: 5 },
        timeoutMs: 50,
        maxAttempts: 2,
        backoff: { baseMs: 0, factor: 1, maxMs: 0 },
      };
      const job = await get({ ...post(more), headers: { prefer: 'wait=20' } });
      assert.deepEqual([job.status, job.attempt, job.error?.code], ['failed', 2, 'timeout']);
      assert.deepEqual(
        job.errors.map(({ code, attempt }) => [code, attempt]),
        [['timeout', 1]],
      );
    },
  },
  {
    section: 'Submit',
    rule: 'A queued job tells its place in the queue, and when it is likely to start',
    asked: 'POST /v1/jobs twice into a queue, then GET of both',
    answered: '200, position of the second behind the first; etaMs',
    async run({ get, job }) {
      const [first, second] = [await job('queued'), await job('queued')];
      const [one, two] = await Promise.all([first, second].map(({ id }) => get({ path: `${path}/${id}` })));
      const places = [one?.position, two?.position].map(Number) as [number, number];
      assert.ok(places[0] >= 1 && places[1] > places[0], `position ${places.join(' and ')}`);
      assert.ok(two?.etaMs === null || Number(two?.etaMs) >= 0, `etaMs ${two?.etaMs}`);
    },
  },
  {
    section: 'Submit',
    rule: 'A job that is not queued has no place',
    asked: 'GET of a scheduled job',
    answered: '200 without position and etaMs',
    async run({ get, job }) {
      const read = await get<object>({ path: `${path}/${(await job('scheduled')).id}` });
      assert.deepEqual(
        Object.keys(read).filter((name) => ['position', 'etaMs'].includes(name)),
        [],
      );
    },
  },
  {
    section: 'Submit',
    rule: 'What is refused leaves nothing behind',
    asked: 'POST /v1/jobs with a wrong payload',
    answered: '400, and no job',
    async run({ ask, get, unique }) {
      const body = { ...sleep, payload: { seconds: -1 }, tags: [unique] };
      assert.equal((await ask({ path, body })).status, 400);
      assert.deepEqual((await get<{ jobs: unknown[] }>({ path: `${path}?tag=${unique}` })).jobs, []);
    },
  },
]);
