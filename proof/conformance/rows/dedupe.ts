import assert from 'node:assert/strict';
import { rowsOf } from '../row.ts';
import { sleep } from '../scene.ts';

const path = '/v1/jobs';
const post = (more: object) => ({ path, body: { ...sleep, ...more } });
const later = { delayMs: 3_600_000 };

/** Jobs that are there already (`dedupeKey`). */
export const dedupe = rowsOf('Contract', [
  {
    section: 'Dedupe',
    rule: 'While a job with its type and dedupeKey is not finished, that one is answered',
    asked: 'POST /v1/jobs twice with one dedupeKey',
    answered: '202, then 200 with the first job; Deduplicated: true',
    async run({ ask, get, unique }) {
      const first = await get(post({ ...later, dedupeKey: unique }), 202);
      const { status, headers, body } = await ask(post({ dedupeKey: unique, tags: ['other'] }));
      assert.deepEqual([status, headers['deduplicated']], [200, 'true']);
      assert.deepEqual(JSON.parse(body), first);
      assert.equal(headers['content-location'], `${path}/${first.id}`);
    },
  },
  {
    section: 'Dedupe',
    rule: 'A finished job stands in nobody’s way',
    asked: 'POST /v1/jobs, the job is cancelled, and POST with the same dedupeKey',
    answered: '202 with another job',
    async run({ get, unique }) {
      const asked = post({ ...later, dedupeKey: unique });
      const { id } = await get(asked, 202);
      await get({ method: 'POST', path: `${path}/${id}/cancel` });
      assert.notEqual((await get(asked, 202)).id, id);
    },
  },
  {
    section: 'Dedupe',
    rule: 'Keys of different types are apart',
    asked: 'POST /v1/jobs of two types with one dedupeKey',
    answered: '202 twice',
    async run({ get, unique }) {
      const body = { type: 'csv.profile', payload: { csv: 'a\n1\n' }, ...later, dedupeKey: unique };
      await get(post({ ...later, dedupeKey: unique }), 202);
      await get({ path, body }, 202);
    },
  },
  {
    section: 'Dedupe',
    rule: 'Within one batch a key makes one job',
    asked: 'POST /v1/jobs/batch of two jobs with one dedupeKey',
    answered: '202 with the same job twice',
    async run({ get, unique }) {
      const job = { ...sleep, ...later, dedupeKey: unique };
      const { jobs } = await get<{ jobs: { id: string }[] }>(
        { path: `${path}/batch`, body: { jobs: [job, job] } },
        202,
      );
      assert.equal(jobs.length, 2);
      assert.equal(jobs[0]?.id, jobs[1]?.id);
    },
  },
]);
