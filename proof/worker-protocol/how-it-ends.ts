import assert from 'node:assert/strict';
import type { Check } from './check.ts';
import { GRACE_MS, type Ground } from './ground.ts';
import type { WorkerProcess } from './worker-process.ts';

const LONG = 60;
/** For what is to be done without waiting for anything. */
const SOON_MS = 5_000;
/** A worker hears of a drain with its next holdings, ten seconds later at most. */
const DRAIN_MS = 12_500;

const holderOf = ({ workers }: Ground, holder: string | null): WorkerProcess => {
  const found = workers.find(({ instance }) => instance === holder);
  if (!found) throw new Error(`the claim names the holder ${holder}: INSTANCE says who the worker is`);
  return found;
};

async function exitCode(worker: WorkerProcess, withinMs: number): Promise<number | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`it has not ended after ${withinMs} ms`)), withinMs);
  });
  return Promise.race([worker.exited, late]).finally(() => clearTimeout(timer));
}

/** Each starts the workers that it needs: run them one after the other, after everything else. */
export const howItEnds: Check[] = [
  {
    name: 'killed',
    promise: 'takes over from one that is killed',
    async run(ground) {
      while (ground.workers.filter(({ alive }) => alive).length < 2) await ground.startWorker();
      const jobId = await ground.submit(LONG);
      const { holder } = await ground.runs(jobId);
      holderOf(ground, holder).signal('SIGKILL');
      const taken = await ground.until(jobId, 'another worker takes over', ({ attempt }) => attempt === 2, SOON_MS);
      assert.notEqual(taken.holder, holder);
      assert.deepEqual(
        taken.errors.map(({ code }) => code),
        ['worker-lost'],
      );
      holderOf(ground, taken.holder);
      await ground.ask('POST', `/v1/jobs/${jobId}/cancel`); // not for the workers of other checks
    },
  },
  {
    name: 'stopped',
    promise: 'ends with 0 on SIGTERM: finishes what it can within its grace, and gives back the rest',
    async run(ground) {
      for (const other of ground.workers) other.signal('SIGKILL');
      await Promise.all(ground.workers.map(({ exited }) => exited));
      const worker = await ground.startWorker();
      const [long, short] = [await ground.submit(LONG), await ground.submit(GRACE_MS / 2_000)];
      const { maxAttempts } = await ground.runs(long);
      await ground.runs(short);
      worker.signal('SIGTERM');
      const code = await exitCode(worker, GRACE_MS + SOON_MS);
      assert.equal(code, 0, `it ended with ${code}:\n${worker.output}`);
      assert.equal((await ground.read(short)).status, 'succeeded', 'what ends within the grace is finished');
      const row = await ground.read(long);
      assert.deepEqual([row.status, row.attempt, row.maxAttempts], ['queued', 1, maxAttempts + 1]);
      assert.equal(
        ground.deliveriesOf(long)[0]?.settled?.how,
        'requeue',
        'the dispatch message of the rest is given back',
      );
      await ground.ask('POST', `/v1/jobs/${long}/cancel`);
    },
  },
  {
    name: 'api-away',
    promise: 'ends with 0 on SIGTERM while the api is away, and leaves its jobs to another worker',
    async run(ground) {
      for (const other of ground.workers) other.signal('SIGKILL');
      const worker = await ground.startWorker();
      const jobId = await ground.submit(LONG);
      await ground.runs(jobId);
      const code = await ground.withoutApi(async () => {
        worker.signal('SIGTERM');
        return exitCode(worker, GRACE_MS + SOON_MS);
      });
      assert.equal(code, 0, `it ended with ${code}:\n${worker.output}`);
      const { instance } = await ground.startWorker();
      await ground.until(jobId, 'another worker has the job', ({ holder }) => holder === instance, SOON_MS);
      await ground.ask('POST', `/v1/jobs/${jobId}/cancel`);
    },
  },
  {
    name: 'drained',
    promise: 'finishes its jobs and ends with 0 when it is drained',
    async run(ground) {
      for (const other of ground.workers) other.signal('SIGKILL');
      const worker = await ground.startWorker();
      const jobId = await ground.submit(GRACE_MS / 1_000 + 1);
      await ground.runs(jobId);
      const { status } = await ground.ask('POST', `/v1/workers/${worker.instance}/drain`);
      assert.equal(status, 202, `drain is answered ${status}: does the worker say who it is?`);
      const code = await exitCode(worker, DRAIN_MS);
      assert.equal(code, 0, `it ended with ${code}:\n${worker.output}`);
      assert.equal((await ground.read(jobId)).status, 'succeeded');
    },
  },
];
