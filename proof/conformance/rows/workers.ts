import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { rowsOf } from '../row.ts';
import type { Scene } from '../scene.ts';

/** A job that nobody else works on, claimed as a worker in another language does. */
async function claimed({ ask, get, job }: Pick<Scene, 'ask' | 'get' | 'job'>) {
  const { id } = await job('queued');
  const delivery = { jobId: id, ringId: randomUUID(), redelivered: false, deliveryCount: 0, holder: 'row' };
  const claim = { ...delivery, claimId: randomUUID() };
  const { attempt } = await get<{ attempt: number }>({ path: '/v1/claims', body: claim });
  return {
    claim,
    attempt,
    settle: (body: object) => ask({ method: 'PUT', path: `/v1/jobs/${id}/attempts/${attempt}/outcome`, body }),
    /** The broker has given the ring to another worker. */
    takeOver: () =>
      get({ path: '/v1/claims', body: { ...delivery, claimId: randomUUID(), redelivered: true, deliveryCount: 1 } }),
  };
}

/** The calls of workers in other languages. */
export const workers = rowsOf('Contract', [
  {
    section: 'Workers',
    rule: 'The same claim again is the same attempt; another delivery of the ring is held, another ring refused',
    asked: 'POST /v1/claims, four times',
    answered: '200, 200, 409 held with Retry-After, 410 refused',
    async run(scene) {
      const { claim, attempt } = await claimed(scene);
      const same = await scene.get<{ attempt: number }>({ path: '/v1/claims', body: claim });
      assert.deepEqual([attempt, same.attempt], [1, 1]);
      const held = await scene.ask({ path: '/v1/claims', body: { ...claim, claimId: randomUUID() } });
      assert.deepEqual([held.status, held.headers['retry-after']], [409, '1']);
      const other = { ...claim, ringId: randomUUID(), claimId: randomUUID() };
      assert.equal((await scene.ask({ path: '/v1/claims', body: other })).status, 410);
    },
  },
  {
    section: 'Workers',
    rule: 'PUT of an outcome is idempotent; another outcome of the attempt is fenced',
    asked: 'PUT outcome succeeded twice, then failed',
    answered: '200, 200, 409 fenced',
    async run(scene) {
      const { settle } = await claimed(scene);
      const answers = [
        await settle({ status: 'succeeded', result: { sleptMs: 1 } }),
        await settle({ status: 'succeeded', result: { sleptMs: 1 } }),
        await settle({ status: 'failed', error: { message: 'no' } }),
      ];
      assert.deepEqual(
        answers.map(({ status }) => status),
        [200, 200, 409],
      );
    },
  },
  {
    section: 'Workers',
    rule: 'An attempt that was taken over writes nothing',
    asked: 'PUT progress and outcome of attempt 1, after a claim of the redelivered ring',
    answered: '204 before; 409 and 409 after',
    async run(scene) {
      const { claim, settle, takeOver } = await claimed(scene);
      const path = `/v1/jobs/${claim.jobId}/attempts/1/progress`;
      const report = () => scene.ask({ method: 'PUT', path, body: { percent: 5 } });
      const before = await report();
      await takeOver();
      const answers = [before, await report(), await settle({ status: 'succeeded' })];
      assert.deepEqual(
        answers.map(({ status }) => status),
        [204, 409, 409],
      );
    },
  },
  {
    section: 'Workers',
    rule: 'Holdings are answered with what to stop',
    asked: 'PUT holdings of a job that is to be cancelled, and of one that was taken over',
    answered: '200, both in cancel',
    async run(scene) {
      const [first, second] = [await claimed(scene), await claimed(scene)];
      await scene.ask({ method: 'POST', path: `/v1/jobs/${first.claim.jobId}/cancel` });
      await second.takeOver();
      const jobs = [first, second].map(({ claim }) => claim.jobId);
      const body = jobs.map((jobId) => ({ jobId, attempt: 1 }));
      const asked = { method: 'PUT', path: `/v1/workers/${scene.unique}/holdings`, body };
      const { cancel } = await scene.get<{ cancel: string[] }>(asked);
      assert.deepEqual(cancel.sort(), jobs.sort());
    },
  },
  {
    section: 'Workers',
    rule: 'A worker that says who it is is listed, and drained',
    asked: 'PUT /v1/workers/{instance}, POST drain, PUT holdings, DELETE, POST drain',
    answered: '200, 202, drain is true, 204, 404',
    async run({ ask, get, unique }) {
      const path = `/v1/workers/${unique}`;
      await get({ method: 'PUT', path, body: { queues: ['idle'], slots: 1 } });
      await get({ method: 'POST', path: `${path}/drain` }, 202);
      const held = await get<{ drain: boolean }>({ method: 'PUT', path: `${path}/holdings`, body: [] });
      assert.equal(held.drain, true);
      assert.equal((await ask({ method: 'DELETE', path })).status, 204);
      assert.equal((await ask({ method: 'POST', path: `${path}/drain` })).status, 404);
    },
  },
]);
