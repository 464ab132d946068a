// Lets a worker write the report: answers at once, and shows the report later.
import { randomUUID } from 'node:crypto';
import { connect, createPublisher, subscribe } from '@offload/messaging';
import express from 'express';
import { topology, wanted, written } from './reports.ts';

const url = process.env.AMQP_URL ?? 'amqp://127.0.0.1';
const connection = connect({ url, topology });
const publisher = createPublisher(connection);
const reports = new Map<string, object>();
subscribe(connection, {
  exchange: 'reports.written',
  message: written,
  handle({ body: { id, report } }) {
    reports.set(id, { status: 'done', report });
    console.log('a report has come in');
  },
});

const app = express();
app.post('/reports', async (_request, response) => {
  const id = randomUUID();
  reports.set(id, { status: 'queued' });
  await publisher.publish(wanted, { id }, { queue: 'reports.wanted' }); // if this fails, Express answers 500
  response.status(202).location(`/reports/${id}`).json({ status: 'queued' });
});
app.get('/reports/:id', ({ params: { id } }, response) => {
  response.status(reports.has(id) ? 200 : 404).json(reports.get(id) ?? {});
});

await connection.opened;
const server = app.listen(Number(process.env.PORT ?? 8002), '127.0.0.1').on('listening', () => console.log('ready'));
process.on('SIGINT', () => server.close(connection.close));
