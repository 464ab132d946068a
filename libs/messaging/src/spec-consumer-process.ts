// A consumer that can be killed: prints what it handles, before it is acknowledged.
import { z } from 'zod';
import { connect } from './connection.ts';
import { consume } from './consumer.ts';

const [url = '', queue = '', prefetch = ''] = process.argv.slice(2);
const connection = connect({ url });
const consumer = consume(connection, {
  queue,
  message: { type: 'number', version: 1, schema: z.int() },
  prefetch: Number(prefetch),
  handle: ({ body }) => void process.stdout.write(`${body}\n`),
});
process.on('SIGTERM', async () => {
  await consumer.drain();
  await connection.close();
});
