// Measures the time from a publish to its confirm on a quorum queue, one message in flight. `node confirm-times.js
// <count>` prints the times in milliseconds as JSON.
import amqp from 'amqplib';
import { variable } from './peer-process.ts';

const QUEUE = 'bench.confirms';
const count = Number(process.argv[2]);
const connection = await amqp.connect(variable('AMQP_URL'), { noDelay: true });
const channel = await connection.createConfirmChannel();
await channel.assertQueue(QUEUE, { durable: true, arguments: { 'x-queue-type': 'quorum' } });

const times: number[] = [];
for (let sent = 0; sent < count; sent += 1) {
  const from = performance.now();
  channel.sendToQueue(QUEUE, Buffer.from('{"jobId":"01a1fba9-679a-75c8-9117-2a8c29e05854","type":"demo.echo"}'), {
    persistent: true,
  });
  await channel.waitForConfirms();
  times.push(performance.now() - from);
}
await channel.deleteQueue(QUEUE);
await connection.close();
process.stdout.write(`${JSON.stringify(times)}\n`);
