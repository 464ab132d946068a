// announce [words]: sends the words to all listeners.
import { connect, createPublisher, text } from '@offload/messaging';

const url = process.env.AMQP_URL ?? 'amqp://127.0.0.1';
const connection = connect({ url, topology: { exchanges: { news: { type: 'fanout' } } } });

const words = process.argv[2] ?? 'breaking news';
await createPublisher(connection).publish(text, words, { exchange: 'news', mandatory: false }); // there may be no listener
console.log(`announced: ${words}`);

await connection.close();
