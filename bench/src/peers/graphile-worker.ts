// graphile-worker with its defaults, or with BATCHED=1 as in its documentation about performance. It deletes completed
// jobs and keeps no results.
import { EventEmitter } from 'node:events';
import { Logger, makeWorkerUtils, run, type WorkerEvents } from 'graphile-worker';
import pg from 'pg';
import { runPeer, variable, type PeerPayload } from './peer-process.ts';

const TASK = 'echo';
const POOL = 20;
const quiet = new Logger(() => (level, message) => {
  if (level === 'error') console.error(message);
});
const batches = {
  localQueue: { size: 500, refetchDelay: { durationMs: 10 } },
  completeJobBatchDelay: 0,
  failJobBatchDelay: 0,
};
const preset = process.env['BATCHED'] === '1' ? { worker: batches } : {};

function openPool(): pg.Pool {
  const pool = new pg.Pool({ connectionString: variable('DATABASE_URL'), max: POOL });
  const tell = (error: Error): void => console.error(error);
  return pool.on('error', tell).on('connect', (client) => client.on('error', tell));
}

await runPeer({
  async api() {
    const pgPool = openPool();
    const utils = await makeWorkerUtils({ pgPool, logger: quiet });
    await utils.migrate();
    return {
      take: async (payload) => (await utils.addJob(TASK, payload)).id,
      takeMany: (payloads) => utils.addJobs(payloads.map((payload) => ({ identifier: TASK, payload }))),
      async close() {
        await utils.release();
        await pgPool.end();
      },
    };
  },
  async worker(concurrency, { handle, finished }) {
    const events = new EventEmitter() as WorkerEvents;
    events.on('job:complete', finished);
    const runner = await run({
      ...{ pgPool: openPool(), concurrency, noHandleSignals: true, logger: quiet, events, preset },
      taskList: { [TASK]: (payload, { job }) => handle(job.id, payload as PeerPayload).then(() => undefined) },
    });
    return { close: () => runner.stop() };
  },
});
