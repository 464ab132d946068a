// Dispatch messages alone: amqplib on a durable quorum queue, with each message persistent, confirmed and acknowledged.
// It has no state and no result, so it is the upper bound for every system on RabbitMQ.
import { randomUUID } from 'node:crypto';
import amqp from 'amqplib';
import { runPeer, variable } from './peer-process.ts';

const QUEUE = 'bench.dispatches';

async function open() {
  const connection = await amqp.connect(variable('AMQP_URL'), { noDelay: true });
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue(QUEUE, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  return { channel, close: () => connection.close() };
}

/** A message as small as Offload's dispatch message. */
function dispatch(jobId: string): Buffer {
  return Buffer.from(JSON.stringify({ jobId, type: 'demo.echo' }));
}

await runPeer({
  async api() {
    const { channel, close } = await open();
    const publish = (id: string) =>
      new Promise<void>((resolve, reject) => {
        const options = { persistent: true, messageId: id, contentType: 'application/json' };
        channel.publish('', QUEUE, dispatch(id), options, (error) => (error ? reject(error) : resolve()));
      });
    return {
      async take() {
        const id = randomUUID();
        await publish(id);
        return id;
      },
      takeMany: (payloads) => Promise.all(payloads.map(() => publish(randomUUID()))),
      close,
    };
  },
  async worker(concurrency, { handle, finished }) {
    const { channel, close } = await open();
    await channel.prefetch(concurrency);
    await channel.consume(QUEUE, (message) => {
      if (!message) throw new Error('the queue is gone');
      const { jobId } = JSON.parse(message.content.toString()) as { jobId: string };
      void handle(jobId, {}).then(() => {
        channel.ack(message);
        finished();
      });
    });
    return { close };
  },
});
