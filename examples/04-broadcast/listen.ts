// Prints every announcement from now on.
import { connect, subscribe, text } from '@offload/messaging';

const url = process.env.AMQP_URL ?? 'amqp://127.0.0.1';
const connection = connect({ url, topology: { exchanges: { news: { type: 'fanout' } } } });

subscribe(connection, {
  exchange: 'news',
  message: text,
  onListening: () => console.log('listening; Ctrl-C ends'),
  handle: ({ body }) => console.log(`heard: ${body}`),
});

process.on('SIGINT', () => connection.close());
