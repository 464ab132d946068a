// Writes a report while the client waits: ten seconds.
import { setTimeout } from 'node:timers/promises';
import express from 'express';

const app = express();
app.post('/reports', async (_request, response) => {
  await setTimeout(10_000);
  response.json({ status: 'done', report: 'All is well.' });
});

const server = app.listen(Number(process.env.PORT ?? 8001), '127.0.0.1').on('listening', () => console.log('ready'));
process.on('SIGINT', () => server.close());
