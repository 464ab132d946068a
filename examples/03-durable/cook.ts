// cook [seconds]: cooks the ordered dishes, one at a time.
import { setTimeout } from 'node:timers/promises';
import { connect, consume } from '@offload/messaging';
import { order, topology } from './orders.ts';

const [seconds = '10'] = process.argv.slice(2);
const url = process.env.AMQP_URL ?? 'amqp://127.0.0.1';
const connection = connect({ url, topology });

const cook = consume(connection, {
  queue: 'orders',
  message: order,
  prefetch: 1,
  async handle({ body: { dish }, redelivered }) {
    console.log(redelivered ? `${dish}, which another cook left unfinished` : dish);
    await setTimeout(Number(seconds) * 1_000);
    console.log(`${dish} is ready`); // the broker deletes the order after this
  },
});

process.on('SIGINT', () => cook.drain().then(connection.close)); // finishes the dish first
console.log('waiting for orders');
