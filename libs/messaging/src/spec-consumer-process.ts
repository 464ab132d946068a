// A consumer process that a test can kill: it prints each message that it handles, before the acknowledgement.
import { promisify } from 'node:util';
import { z } from 'zod';
import { connect } from './connection.ts';
import { consume } from './consumer.ts';

const [url = '', queue = '', prefetch = ''] = process.argv.slice(2);
const connection = connect({ url });
// Waits until the pipe has the line: Node.js keeps lines in this process while the reader is slow, and a kill loses
// them.
const print = promisify((line: string, done: (error?: Error | null) => void) => process.stdout.write(line, done));
const consumer = consume(connection, {
  queue,
  message: { type: 'number', version: 1, schema: z.int() },
  prefetch: Number(prefetch),
  handle: ({ body }) => print(`${body}\n`),
});
process.on('SIGTERM', async () => {
  await consumer.drain();
  await connection.close();
});
