import assert from 'node:assert/strict';
import type { Given } from '../asked.ts';
import { rowsOf } from '../row.ts';
import { sleep } from '../scene.ts';

const unknown = '01900000-0000-7000-8000-000000000000';
const job = '/v1/jobs/{id}';
const post = (what: string) => ({ method: 'POST', path: `${job}/${what}` });

/** What is asked of one job: its result, to be cancelled, run again, deleted. */
export const outcomes = rowsOf('Contract', [
  {
    section: 'Result',
    rule: 'A job that has succeeded: its bare result',
    given: 'succeeded',
    request: { path: `${job}/result` },
    expect: { status: 200, headers: { 'Content-Type': /^application\/json/, ETag: '{etag}' }, body: { sleptMs: 0 } },
  },
  {
    section: 'Result',
    rule: 'A job that has failed: 409 job-failed, with why',
    given: 'failed',
    request: { path: `${job}/result` },
    expect: { status: 409, problem: 'job-failed', body: { detail: /^permanent: .*line/ } },
  },
  {
    section: 'Result',
    rule: 'A job that was cancelled: 409 job-cancelled',
    given: 'cancelled',
    request: { path: `${job}/result` },
    expect: { status: 409, problem: 'job-cancelled' },
  },
  {
    section: 'Result',
    rule: 'A job that is not finished: 202 with the job, and Retry-After',
    given: 'running',
    request: { path: `${job}/result` },
    expect: { status: 202, headers: { 'Retry-After': /^[1-9]\d*$/ }, body: { id: '{id}', status: 'running' } },
  },
  {
    section: 'Job',
    rule: 'An unfinished job says in Retry-After when to ask again, a finished one does not',
    asked: 'GET of a queued, a running and a succeeded job',
    answered: '200, Retry-After of the first two',
    async run({ ask, job }) {
      const retryAfter = async (given: Given) =>
        (await ask({ path: `/v1/jobs/${(await job(given)).id}` })).headers['retry-after'];
      assert.match(String(await retryAfter('queued')), /^[1-9]\d*$/);
      assert.equal(await retryAfter('running'), '1');
      assert.equal(await retryAfter('succeeded'), undefined);
    },
  },
  {
    section: 'Job',
    rule: 'A finished job tells when and for how long it ran',
    asked: 'GET of a succeeded job',
    answered: '200, durationMs from startedAt to finishedAt',
    async run({ job }) {
      const { startedAt, finishedAt, durationMs, createdAt } = await job('succeeded');
      assert.equal(durationMs, Date.parse(String(finishedAt)) - Date.parse(String(startedAt)));
      assert.ok(Date.parse(createdAt) <= Date.parse(String(startedAt)), `${createdAt}, ${startedAt}`);
    },
  },
  {
    section: 'Job',
    rule: 'A failed job tells the code, the message, the attempt and the time of its error',
    given: 'failed',
    request: { path: job },
    expect: {
      status: 200,
      body: { status: 'failed', result: null, error: { code: 'permanent', message: /line/, attempt: 1, at: /Z$/ } },
    },
  },
  {
    section: 'Cancel',
    rule: 'A job that has not begun is cancelled at once: 200',
    given: 'scheduled',
    request: post('cancel'),
    expect: { status: 200, body: { id: '{id}', status: 'cancelled', attempt: 0, finishedAt: /Z$/ } },
  },
  {
    section: 'Cancel',
    rule: 'A queued job that is cancelled is never run',
    given: 'queued',
    request: post('cancel'),
    expect: { status: 200, body: { status: 'cancelled', startedAt: null } },
  },
  {
    section: 'Cancel',
    rule: 'A running job is told: 202 with Location; it ends as cancelled',
    asked: 'POST /v1/jobs/{id}/cancel of a running job, then GET with Prefer: wait=10',
    answered: '202, Location, Retry-After; 200 cancelled',
    async run({ ask, get, job }) {
      const { id } = await job('running');
      const { status, headers } = await ask({ method: 'POST', path: `/v1/jobs/${id}/cancel` });
      assert.deepEqual([status, headers['location']], [202, `/v1/jobs/${id}`]);
      assert.match(String(headers['retry-after']), /^\d+$/);
      const ended = await get({ path: String(headers['location']), headers: { prefer: 'wait=10' } });
      assert.deepEqual([ended.status, ended.result], ['cancelled', null]);
    },
  },
  {
    section: 'Cancel',
    rule: 'A finished job: 409 job-finished',
    given: 'failed',
    request: post('cancel'),
    expect: { status: 409, problem: 'job-finished' },
  },
  {
    section: 'Retry',
    rule: 'A failed job is queued again: 202, for one more attempt at least',
    given: 'failed',
    request: post('retry'),
    expect: {
      status: 202,
      headers: { Location: '/v1/jobs/{id}', 'Retry-After': /^\d+$/ },
      body: { id: '{id}', status: 'queued', finishedAt: null },
    },
  },
  {
    section: 'Retry',
    rule: 'A cancelled job is queued again, and runs to its end',
    asked: 'POST /v1/jobs/{id}/retry of a cancelled job, then GET with Prefer: wait=10',
    answered: '202; 200 succeeded',
    async run({ get, job }) {
      const { id } = await job('cancelled');
      await get({ method: 'POST', path: `/v1/jobs/${id}/retry` }, 202);
      const ended = await get({ path: `/v1/jobs/${id}`, headers: { prefer: 'wait=10' } });
      assert.equal(ended.status, 'succeeded');
    },
  },
  {
    section: 'Retry',
    rule: 'A job that has succeeded: 409 job-not-finished',
    given: 'succeeded',
    request: post('retry'),
    expect: { status: 409, problem: 'job-not-finished' },
  },
  {
    section: 'Retry',
    rule: 'A job that is not finished: 409 job-not-finished',
    given: 'scheduled',
    request: post('retry'),
    expect: { status: 409, problem: 'job-not-finished' },
  },
  {
    section: 'Retry',
    rule: 'A job whose dedupeKey another one has by now: 409 job-duplicated',
    asked: 'POST /v1/jobs/{id}/retry of a cancelled job, while there is another one with its dedupeKey',
    answered: '409 job-duplicated',
    async run({ ask, get, unique }) {
      const asked = { path: '/v1/jobs', body: { ...sleep, delayMs: 3_600_000, dedupeKey: unique } };
      const { id } = await get(asked, 202);
      await get({ method: 'POST', path: `/v1/jobs/${id}/cancel` });
      await get(asked, 202);
      const { body, status } = await ask({ method: 'POST', path: `/v1/jobs/${id}/retry` });
      assert.deepEqual([status, (JSON.parse(body) as { type: string }).type], [409, '/problems/job-duplicated']);
    },
  },
  {
    section: 'Delete',
    rule: 'A finished job is deleted: 204',
    given: 'succeeded',
    request: { method: 'DELETE', path: job },
    expect: { status: 204 },
  },
  {
    section: 'Delete',
    rule: 'A job that is not finished: 409 job-not-finished',
    given: 'running',
    request: { method: 'DELETE', path: job },
    expect: { status: 409, problem: 'job-not-finished' },
  },
  {
    section: 'Job',
    rule: 'A job that is not there: 404 job-not-found, for every call about one',
    asked: 'GET, GET result, POST cancel, POST retry and DELETE of an unknown id',
    answered: '404 job-not-found',
    async run({ ask }) {
      const path = `/v1/jobs/${unknown}`;
      const calls = [
        { path },
        { path: `${path}/result` },
        { method: 'POST', path: `${path}/cancel` },
        { method: 'POST', path: `${path}/retry` },
        { method: 'DELETE', path },
      ];
      for (const call of calls) {
        const { body } = await ask(call);
        assert.equal((JSON.parse(body) as { type: string }).type, '/problems/job-not-found');
      }
    },
  },
]);
