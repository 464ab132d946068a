// Sends one message to the queue `hello`.
import { connect, createPublisher, text } from '@offload/messaging';

const url = process.env.AMQP_URL ?? 'amqp://127.0.0.1';
const connection = connect({ url, topology: { queues: { hello: {} } } });

const words = process.argv[2] ?? 'Hello, world!';
await createPublisher(connection).publish(text, words, { queue: 'hello' });
console.log(`sent: ${words}`); // the broker has the message on disk

await connection.close();
