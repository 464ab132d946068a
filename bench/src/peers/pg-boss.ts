// pg-boss as in its documentation: batches of up to `concurrency`, fetched as often as it allows. It keeps results only
// of batches with one job. Its table has the completion time of each job.
import { randomUUID } from 'node:crypto';
import PgBoss from 'pg-boss';
import { runPeer, variable, type PeerPayload } from './peer-process.ts';

const QUEUE = 'jobs';
/** The shortest interval that pg-boss accepts, in seconds. */
const POLLING_S = 0.5;

async function open(): Promise<PgBoss> {
  const boss = new PgBoss({ connectionString: variable('DATABASE_URL'), max: 20 });
  boss.on('error', (error) => console.error(error));
  await boss.start();
  await boss.createQueue(QUEUE);
  return boss;
}

await runPeer({
  async api() {
    const boss = await open();
    return {
      async take(payload) {
        const id = await boss.send(QUEUE, payload);
        if (id === null) throw new Error('pg-boss did not take the job');
        return id;
      },
      takeMany: (payloads) => boss.insert(payloads.map((data) => ({ id: randomUUID(), name: QUEUE, data }))),
      close: () => boss.stop({ graceful: false }),
    };
  },
  async worker(concurrency, { handle }) {
    const boss = await open();
    const options = { batchSize: concurrency, pollingIntervalSeconds: POLLING_S };
    await boss.work<PeerPayload>(QUEUE, options, (jobs) => Promise.all(jobs.map(({ id, data }) => handle(id, data))));
    return { close: () => boss.stop({ graceful: false }) };
  },
});
