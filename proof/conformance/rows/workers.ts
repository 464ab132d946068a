import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { rowsOf } from '../row.ts';
import type { Scene } from '../scene.ts';

/** Claims a job that no other worker runs, as a worker in another language does. */
async function claimed({ ask, get, job }: Scene) {
  const { id } = await job('queued');
  const delivery = { jobId: id, dispatchId: randomUUID(), redelivered: false, deliveryCount: 0, holder: 'row' };
  const claim = { ...delivery, claimId: randomUUID() };
  const { attempt } = await get<{ attempt: number }>({ path: '/v1/claims', body: claim });
  return {
    claim,
    attempt,
    settle: (body: object) => ask({ method: 'PUT', path: `/v1/jobs/${id}/attempts/${attempt}/outcome`, body }),
  };
}

/** The calls of workers in other languages. */
export const workers = rowsOf('Contract', [
  {
    section: 'Workers',
    rule: 'The same claim again is the same attempt; another delivery of the dispatch message is held, another dispatch message refused',
    asked: 'POST /v1/claims, four times',
    answered: '200, 200, 409 held with Retry-After, 410 refused',
    async run(scene) {
      const { claim, attempt } = await claimed(scene);
      const same = await scene.get<{ attempt: number }>({ path: '/v1/claims', body: claim });
      assert.deepEqual([attempt, same.attempt], [1, 1]);
      const held = await scene.ask({ path: '/v1/claims', body: { ...claim, claimId: randomUUID() } });
      assert.deepEqual([held.status, held.headers['retry-after']], [409, '1']);
      const other = { ...claim, dispatchId: randomUUID(), claimId: randomUUID() };
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
]);
