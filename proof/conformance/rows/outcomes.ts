import assert from 'node:assert/strict';
import type { Given } from '../asked.ts';
import { rowsOf } from '../row.ts';

const job = '/v1/jobs/{id}';

/** The outcome of one job: its result, its error, and its end after a retry. */
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
    section: 'Job',
    rule: 'The answer with an unfinished job has Retry-After, that with a finished one does not',
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
    rule: 'A failed job has the code, the message, the attempt and the time of its error',
    given: 'failed',
    request: { path: job },
    expect: {
      status: 200,
      body: { status: 'failed', result: null, error: { code: 'permanent', message: /line/, attempt: 1, at: /Z$/ } },
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
]);
