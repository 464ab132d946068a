import assert from 'node:assert/strict';
import { rowsOf, type Expected } from '../row.ts';
import { sleep } from '../scene.ts';

const path = '/v1/jobs';
const post = (more: object) => ({ path, body: { ...sleep, ...more } });
const wrong = (pointer: string): Expected => ({
  status: 400,
  problem: 'invalid-request',
  body: { errors: [{ pointer }] },
});

/** The members of a job (`POST /v1/jobs`). */
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
    rule: 'All members of a job are accepted',
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
    rule: 'delayMs delays the due time of a job',
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
    rule: 'A priority is 0 to 9',
    request: post({ priority: 10 }),
    expect: wrong('/priority'),
  },
  {
    section: 'Submit',
    rule: 'A priority becomes that of the dispatch message',
    asked: `POST ${path} {"priority":7, …}`,
    answered: '202; the dispatch message has priority 7',
    async run({ get, dispatchOf }) {
      const { id } = await get(post({ priority: 7, queue: 'traced' }), 202);
      assert.equal((await dispatchOf(id)).priority, 7);
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
    rule: 'maxAttempts: a permanent failure is not retried, a timeout is',
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
    rule: 'A queued job has its place in the queue, and its likely start',
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
    section: 'Dedupe',
    rule: 'Keys of different types are independent',
    asked: 'POST /v1/jobs of two types with one dedupeKey',
    answered: '202 twice',
    async run({ get, unique }) {
      const later = { delayMs: 3_600_000, dedupeKey: unique };
      await get(post(later), 202);
      await get({ path, body: { type: 'csv.profile', payload: { csv: 'a\n1\n' }, ...later } }, 202);
    },
  },
]);
