// Prints every message of the queue `hello`.
import { connect, consume, text } from '@offload/messaging';

const url = process.env.AMQP_URL ?? 'amqp://127.0.0.1';
const connection = connect({ url, topology: { queues: { hello: {} } } });

consume(connection, {
  queue: 'hello',
  message: text,
  handle: ({ body }) => console.log(`received: ${body}`),
});

process.on('SIGINT', () => connection.close());
console.log('waiting for messages; Ctrl-C ends');
