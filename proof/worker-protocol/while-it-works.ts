import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { eventually } from '@offload/spec-kit';
import type { DispatchDelivery } from './amqp-tap.ts';
import type { Check } from './check.ts';
import { NOBODYS_QUEUE, STORED_LATE, type Ground } from './ground.ts';

/** Workers say each ten seconds what they hold, and hear then what to stop. */
const HEARD_MS = 12_500;
/** More than any run here takes that is left alone. */
const LONG = 60;

/** Waits for a word about the job's nth dispatch message. */
function settled({ deliveriesOf }: Ground, jobId: string, timeoutMs = 5_000, index = 0): Promise<DispatchDelivery> {
  return eventually(
    () => {
      const delivery = deliveriesOf(jobId)[index];
      if (!delivery) throw new Error('no worker got the dispatch message');
      if (!delivery.settled) throw new Error('nothing is said to the broker about the dispatch message');
      return delivery;
    },
    { timeoutMs },
  );
}

/** Ends an attempt that is another worker's. Resolves when the dispatch message that the worker under test gave back is acknowledged. */
async function endElsewhere({ ask, deliveriesOf }: Ground, jobId: string, attempt: number): Promise<void> {
  const outcome = { status: 'succeeded', result: { sleptMs: 0 } };
  const { status, body } = await ask('PUT', `/v1/jobs/${jobId}/attempts/${attempt}/outcome`, outcome);
  assert.equal(status, 200, JSON.stringify(body));
  await eventually(() => assert.equal(deliveriesOf(jobId).at(-1)?.settled?.how, 'ack', 'the dispatch message goes on'));
}

/** They don't get in each other's way: run them at once, on any number of workers. */
export const whileItWorks: Check[] = [
  {
    name: 'stored-first',
    promise: 'acknowledges only what is stored',
    async run(ground) {
      const jobId = await ground.submit(0.2, { tags: [STORED_LATE.tag] });
      const atTheWord = new Promise<string>((resolve, reject) => {
        ground.onSettled(jobId, () => void ground.read(jobId).then(({ status }) => resolve(status), reject));
      });
      const { settled: word } = await settled(ground, jobId, 10_000);
      assert.equal(word?.how, 'ack', `the broker was told ${word?.how}`);
      assert.equal(await atTheWord, 'succeeded', 'the dispatch message was acknowledged before the outcome was stored');
      const { sleptMs } = (await ground.read(jobId)).result as { sleptMs: number };
      assert.ok(sleptMs >= 199, `it slept for ${sleptMs} ms`);
    },
  },
  {
    name: 'progress',
    promise: 'tells progress on the way',
    async run(ground) {
      const jobId = await ground.submit(2.5);
      const between = (percent: number): boolean => percent > 0 && percent < 100;
      await ground.until(jobId, 'progress is told', ({ status, progress }) => {
        return status === 'running' && between(progress?.percent ?? 0);
      });
      await ground.until(jobId, 'the job ends at 100 %', ({ status, progress }) => {
        return status === 'succeeded' && progress?.percent === 100;
      });
    },
  },
  {
    name: 'timeout',
    promise: 'ends an attempt that takes too long, and leaves the retry to the back-off',
    async run(ground) {
      const backoff = { baseMs: 0, factor: 1, maxMs: 0 };
      const jobId = await ground.submit(LONG, { timeoutMs: 1_000, maxAttempts: 2, backoff });
      const { error, errors, attempt } = await ground.until(
        jobId,
        'it fails after two timeouts',
        ({ status }) => status === 'failed',
        15_000,
      );
      assert.deepEqual([error?.code, errors.map(({ code }) => code), attempt], ['timeout', ['timeout'], 2]);
      assert.equal((await settled(ground, jobId)).settled?.how, 'ack');
    },
  },
  {
    name: 'cancel',
    promise: 'stops a job that is to be cancelled',
    async run(ground) {
      const jobId = await ground.submit(LONG);
      await ground.runs(jobId);
      await ground.ask('POST', `/v1/jobs/${jobId}/cancel`);
      await ground.until(jobId, 'the job is cancelled', ({ status }) => status === 'cancelled', HEARD_MS);
      assert.equal((await settled(ground, jobId)).settled?.how, 'ack');
    },
  },
  {
    name: 'holdings',
    promise: 'says what it holds',
    async run(ground) {
      const jobId = await ground.submit(LONG);
      await ground.runs(jobId);
      await ground.until(
        jobId,
        'the worker says that it holds the job',
        ({ heldAt, startedAt }) => Number(heldAt) > Number(startedAt),
        HEARD_MS,
      );
      await ground.ask('POST', `/v1/jobs/${jobId}/cancel`); // not for the workers of other checks
    },
  },
  {
    name: 'fenced',
    promise: 'stops an attempt that is another’s by now, writes nothing more, and gives the dispatch message back',
    async run(ground) {
      const jobId = await ground.submit(LONG);
      const { dispatchId, deliveryCount } = await ground.runs(jobId);
      const taken = await ground.ask('POST', '/v1/claims', {
        ...{ jobId, dispatchId, redelivered: true, deliveryCount: deliveryCount + 100 },
        ...{ claimId: randomUUID(), holder: 'another' },
      });
      assert.equal(taken.status, 200, JSON.stringify(taken.body));
      const { settled: word } = await settled(ground, jobId, HEARD_MS);
      assert.equal(word?.how, 'requeue', `the broker was told ${word?.how}`);
      const calls = ground.callsOf(jobId, 1);
      const fencedAt = calls.find(({ answered }) => answered?.status === 409)?.answered?.at ?? Infinity;
      const late = calls.filter(({ at }) => at > fencedAt + 500);
      assert.deepEqual(late, [], 'it wrote after it was told that the attempt is over');
      assert.deepEqual(((row) => [row.status, row.attempt, row.holder])(await ground.read(jobId)), [
        ...['running', 2, 'another'],
      ]);
      await endElsewhere(ground, jobId, 2);
    },
  },
  {
    name: 'held',
    promise: 'gives back after a second the dispatch message of a job that may be another’s',
    async run(ground) {
      const jobId = await ground.submit(0, { queue: NOBODYS_QUEUE });
      const dispatchId = randomUUID();
      const claim = {
        jobId,
        dispatchId,
        redelivered: false,
        deliveryCount: 100,
        claimId: randomUUID(),
        holder: 'another',
      };
      assert.equal((await ground.ask('POST', '/v1/claims', claim)).status, 200);
      await ground.dispatch(jobId, dispatchId);
      const { at, settled: word } = await settled(ground, jobId);
      assert.equal(word?.how, 'later', `the broker was told ${word?.how}`);
      const waitedMs = (word?.at ?? 0) - at;
      assert.ok(waitedMs > 900 && waitedMs < 4_000, `the dispatch message went back after ${Math.round(waitedMs)} ms`);
      await endElsewhere(ground, jobId, 1);
    },
  },
  {
    name: 'refused',
    promise: 'acknowledges a dispatch message that has nothing to run',
    async run(ground) {
      const jobId = await ground.submit(0);
      await ground.until(jobId, 'the job succeeds', ({ status }) => status === 'succeeded');
      await ground.dispatch(jobId, randomUUID());
      const { settled: word } = await settled(ground, jobId, 5_000, 1);
      assert.equal(word?.how, 'ack', `the broker was told ${word?.how}`);
      assert.equal((await ground.read(jobId)).attempt, 1);
    },
  },
];
