// Puts six tasks into the queue.
import { connect, createPublisher } from '@offload/messaging';
import { task, topology } from './tasks.ts';

const url = process.env.AMQP_URL ?? 'amqp://127.0.0.1';
const connection = connect({ url, topology });
const publisher = createPublisher(connection);

for (const number of [1, 2, 3, 4, 5, 6]) {
  await publisher.publish(task, { name: `task ${number}` }, { queue: 'tasks' });
}
console.log('six tasks sent');

await connection.close();
