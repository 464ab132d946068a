// Sends one order.
import { connect, createPublisher } from '@offload/messaging';
import { order, topology } from './orders.ts';

const url = process.env.AMQP_URL ?? 'amqp://127.0.0.1';
const connection = connect({ url, topology });

await createPublisher(connection).publish(order, { dish: 'pizza' }, { queue: 'orders' });
console.log('pizza ordered'); // the broker has the order on disk

await connection.close();
