// BullMQ as in its documentation: jobs and results are kept (no removeOnComplete), and the worker's `concurrency` is
// set.
import { Queue, Worker } from 'bullmq';
import { runPeer, variable, type PeerPayload } from './peer-process.ts';

const NAME = 'jobs';
const url = new URL(variable('REDIS_URL'));
const connection = { host: url.hostname, port: Number(url.port), maxRetriesPerRequest: null };

await runPeer({
  async api() {
    const queue = new Queue<PeerPayload>(NAME, { connection });
    await queue.waitUntilReady();
    return {
      async take(payload) {
        const { id } = await queue.add('echo', payload);
        if (id === undefined) throw new Error('BullMQ gave the job no id');
        return id;
      },
      takeMany: (payloads) => queue.addBulk(payloads.map((data) => ({ name: 'echo', data }))),
      close: () => queue.close(),
    };
  },
  async worker(concurrency, { handle, finished }) {
    const worker = new Worker<PeerPayload>(NAME, ({ id = '', data }) => handle(id, data), { connection, concurrency });
    worker.on('completed', finished);
    worker.on('error', (error) => console.error(error));
    await worker.waitUntilReady();
    return { close: () => worker.close() };
  },
});
