// worker [prefetch] [by-hand]: does tasks, at most `prefetch` at once. By hand, each takes until you press Enter.
import { once } from 'node:events';
import { connect, consume } from '@offload/messaging';
import { task, topology } from './tasks.ts';

const [prefetch = '1', byHand] = process.argv.slice(2);
const url = process.env.AMQP_URL ?? 'amqp://127.0.0.1';
const connection = connect({ url, topology });

consume(connection, {
  queue: 'tasks',
  message: task,
  prefetch: Number(prefetch),
  async handle({ body: { name } }) {
    if (byHand) {
      console.log(`${name}: press Enter when it is done`);
      await once(process.stdin, 'data');
    }
    console.log(`${name} is done`); // the broker deletes the task after this, and sends the next
  },
});

await connection.opened;
process.on('SIGINT', () => connection.close().finally(() => process.exit())); // unfinished tasks go to other workers
console.log('ready');
