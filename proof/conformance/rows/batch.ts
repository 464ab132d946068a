import assert from 'node:assert/strict';
import { rowsOf } from '../row.ts';
import { sleep } from '../scene.ts';

const path = '/v1/jobs/batch';
const later = { ...sleep, delayMs: 3_600_000 };
const post = (jobs: unknown[]) => ({ path, body: { jobs } });
const wrong = { status: 400, problem: 'invalid-request', body: { errors: [{ pointer: '/jobs' }] } };

/** Many jobs at once (`POST /v1/jobs/batch`). */
export const batch = rowsOf('Contract', [
  {
    section: 'Batch',
    rule: 'Jobs are answered in the order of the request',
    request: post([1, 2, 3].map((priority) => ({ ...later, priority }))),
    expect: { status: 202, body: { jobs: [{ priority: 1 }, { priority: 2 }, { priority: 3 }] } },
  },
  {
    section: 'Batch',
    rule: 'One job that is wrong is told by its index, and none is made',
    asked: 'POST /v1/jobs/batch of two jobs, the second with a wrong payload',
    answered: '400 invalid-request, /jobs/1/payload/seconds, and no job',
    async run({ get, unique }) {
      const good = { ...later, tags: [unique] };
      const asked = post([good, { ...good, payload: { seconds: -1 } }]);
      const { errors } = await get<{ errors: { pointer: string }[] }>(asked, 400);
      const pointers = errors.map(({ pointer }) => pointer);
      assert.deepEqual(pointers, ['/jobs/1/payload/seconds']);
      assert.deepEqual((await get<{ jobs: unknown[] }>({ path: `/v1/jobs?tag=${unique}` })).jobs, []);
    },
  },
  {
    section: 'Batch',
    rule: 'A batch has one job at least',
    request: post([]),
    expect: wrong,
  },
  {
    section: 'Batch',
    rule: 'A batch may have 1,000 jobs',
    asked: 'POST /v1/jobs/batch of 1,000 jobs',
    answered: '202 with 1,000 jobs',
    async run({ get }) {
      const { jobs } = await get<{ jobs: unknown[] }>(post(Array(1_000).fill(later)), 202);
      assert.equal(jobs.length, 1_000);
    },
  },
  {
    section: 'Batch',
    rule: 'A batch of more than 1,000 jobs is refused',
    asked: 'POST /v1/jobs/batch of 1,001 jobs',
    request: post(Array(1_001).fill(later)),
    expect: wrong,
  },
]);
