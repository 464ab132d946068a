// Writes the requested reports, one at a time. Each takes ten seconds.
import { setTimeout } from 'node:timers/promises';
import { connect, consume, createPublisher } from '@offload/messaging';
import { topology, wanted, written } from './reports.ts';

const url = process.env.AMQP_URL ?? 'amqp://127.0.0.1';
const connection = connect({ url, topology });
const publisher = createPublisher(connection);

console.log('waiting for work');
const worker = consume(connection, {
  queue: 'reports.wanted',
  message: wanted,
  prefetch: 1,
  async handle({ body: { id } }) {
    console.log('writing a report');
    await setTimeout(10_000);
    await publisher.publish(written, { id, report: 'All is well.' }, { exchange: 'reports.written', mandatory: false });
    console.log('a report is written');
  },
});

process.on('SIGINT', () => worker.drain().then(connection.close));
