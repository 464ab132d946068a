import assert from 'node:assert/strict';
import type { JobWithLinks } from '@offload/jobs/answers';
import { rowsOf } from '../row.ts';
import { sleep, type Scene } from '../scene.ts';

interface Page {
  jobs: { id: string; tags: string[] }[];
  nextCursor: string | null;
}

const path = '/v1/jobs';
const batch = `${path}/batch`;
const later = { ...sleep, delayMs: 3_600_000 };
const wrong = (parameter: string) => ({
  status: 400,
  problem: 'invalid-request',
  body: { errors: [{ parameter }] },
});

/** So many jobs with the row's tag, the last one made first. */
async function tagged({ get, unique }: Scene, count: number, more: object = {}): Promise<string[]> {
  const jobs = Array.from({ length: count }, () => ({ ...later, tags: [unique], ...more }));
  const made = await get<Page>({ path: batch, body: { jobs } }, 202);
  return made.jobs.map(({ id }) => id).reverse();
}

/** The ids on the page that this query asks for. */
async function idsOn({ get, unique }: Scene, query: string): Promise<string[]> {
  return (await get<Page>({ path: `${path}?tag=${unique}&${query}` })).jobs.map(({ id }) => id);
}

/** Lists of jobs (`GET /v1/jobs`). */
export const lists = rowsOf('Contract', [
  {
    section: 'List',
    rule: 'The newest comes first',
    asked: 'GET /v1/jobs?tag=… of three jobs',
    answered: '200, the last one made first; nextCursor null',
    async run(scene) {
      const ids = await tagged(scene, 3);
      const page = await scene.get<Page>({ path: `${path}?tag=${scene.unique}` });
      assert.deepEqual([page.jobs.map(({ id }) => id), page.nextCursor], [ids, null]);
    },
  },
  {
    section: 'List',
    rule: 'Page by page, by nextCursor, each job comes once, also while others are made',
    asked: 'GET /v1/jobs?tag=…&limit=2, to the end, with a job made after each page',
    answered: '200, each of five jobs once',
    async run(scene) {
      const ids = await tagged(scene, 5);
      const seen: string[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const next: string = cursor === '' ? '' : `&cursor=${cursor}`;
        const page: Page = await scene.get<Page>({ path: `${path}?tag=${scene.unique}&limit=2${next}` });
        assert.ok(page.jobs.length <= 2, `${page.jobs.length} on a page`);
        seen.push(...page.jobs.map(({ id }) => id));
        cursor = page.nextCursor;
        await tagged(scene, 1);
      }
      assert.deepEqual(seen, ids);
    },
  },
  {
    section: 'List',
    rule: 'A page has 50 jobs, where no limit says otherwise',
    asked: 'GET /v1/jobs?tag=… of 51 jobs',
    answered: '200 with 50 jobs, and a nextCursor',
    async run(scene) {
      await tagged(scene, 51);
      const { jobs, nextCursor } = await scene.get<Page>({ path: `${path}?tag=${scene.unique}` });
      assert.deepEqual([jobs.length, typeof nextCursor], [50, 'string']);
    },
  },
  {
    section: 'List',
    rule: 'A limit of 200 is the most',
    request: { path: `${path}?limit=201` },
    expect: wrong('limit'),
  },
  {
    section: 'List',
    rule: 'A limit is a whole number of 1 at least',
    request: { path: `${path}?limit=0` },
    expect: wrong('limit'),
  },
  {
    section: 'List',
    rule: 'A cursor that is none of ours is refused',
    request: { path: `${path}?cursor=abc` },
    expect: wrong('cursor'),
  },
  {
    section: 'List',
    rule: 'status filters',
    asked: 'GET /v1/jobs?tag=…&status=cancelled of two jobs, one of them cancelled',
    answered: '200 with that one',
    async run(scene) {
      const [id] = await tagged(scene, 2);
      await scene.get({ method: 'POST', path: `${path}/${id}/cancel` });
      assert.deepEqual(await idsOn(scene, 'status=cancelled'), [id]);
    },
  },
  {
    section: 'List',
    rule: 'type and queue filter',
    asked: 'GET /v1/jobs?tag=…, by type and by queue, of three different jobs',
    answered: '200 with the one of that type, and that queue',
    async run(scene) {
      const [typed] = await tagged(scene, 1, { type: 'csv.profile', payload: { csv: 'a' } });
      const [queued] = await tagged(scene, 1, { queue: 'idle' });
      await tagged(scene, 1);
      assert.deepEqual(await idsOn(scene, 'type=csv.profile'), [typed]);
      assert.deepEqual(await idsOn(scene, 'queue=idle'), [queued]);
    },
  },
  {
    section: 'List',
    rule: 'tag filters by one tag among others, whatever its characters',
    asked: 'GET /v1/jobs?tag=… of a tag with &, % and ü',
    answered: '200 with that job',
    async run({ get, unique }) {
      const tag = `${unique} 100 % & ü`;
      const { id } = await get({ path, body: { ...later, tags: ['first', tag] } }, 202);
      const { jobs } = await get<Page>({ path: `${path}?tag=${encodeURIComponent(tag)}` });
      assert.deepEqual(
        jobs.map((job) => job.id),
        [id],
      );
    },
  },
  {
    section: 'List',
    rule: 'createdAfter and createdBefore filter, both exclusive',
    asked: 'GET /v1/jobs?tag=…, with createdAt of a job as either bound',
    answered: '200 with the jobs after it, and before it',
    async run(scene) {
      const made: JobWithLinks[] = [];
      while (made.length < 3) {
        const job = await scene.get({ path, body: { ...later, tags: [scene.unique] } }, 202);
        if (job.createdAt === made.at(-1)?.createdAt)
          await scene.get({ method: 'POST', path: `${path}/${job.id}/cancel` });
        else made.push(job);
      }
      const [first, middle, last] = made as [JobWithLinks, JobWithLinks, JobWithLinks];
      assert.deepEqual(await idsOn(scene, `status=scheduled&createdAfter=${middle.createdAt}`), [last.id]);
      assert.deepEqual(await idsOn(scene, `status=scheduled&createdBefore=${middle.createdAt}`), [first.id]);
    },
  },
  {
    section: 'List',
    rule: 'A parameter that is not known is refused',
    request: { path: `${path}?colour=red` },
    expect: wrong('colour'),
  },
  {
    section: 'List',
    rule: 'A parameter that is there twice is refused',
    request: { path: `${path}?status=queued&status=running` },
    expect: wrong('status'),
  },
]);
