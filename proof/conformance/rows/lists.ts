import assert from 'node:assert/strict';
import { rowsOf } from '../row.ts';
import { sleep } from '../scene.ts';

/** Lists of jobs (`GET /v1/jobs`). */
export const lists = rowsOf('Contract', [
  {
    section: 'List',
    rule: 'A page has 50 jobs by default',
    asked: 'GET /v1/jobs?tag=… of 51 jobs',
    answered: '200 with 50 jobs, and a nextCursor',
    async run({ get, unique }) {
      const jobs = Array(51).fill({ ...sleep, delayMs: 3_600_000, tags: [unique] });
      await get({ path: '/v1/jobs/batch', body: { jobs } }, 202);
      const page = await get<{ jobs: unknown[]; nextCursor: unknown }>({ path: `/v1/jobs?tag=${unique}` });
      assert.deepEqual([page.jobs.length, typeof page.nextCursor], [50, 'string']);
    },
  },
]);
