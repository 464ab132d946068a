import type { Ground } from '../ground/ground.ts';
import { peerSystem } from './peer-system.ts';
import type { System } from './system.ts';

const QUEUE = 'bench.dispatches';

/** amqplib alone, the upper bound for every system on a quorum queue. */
export function amqplibAlone(ground: Ground): System {
  const messages = () => ground.management.messages(QUEUE);
  return peerSystem({
    name: 'amqplib alone',
    program: 'amqplib-alone',
    env: { AMQP_URL: ground.amqpUrl },
    can: { store: true, run: true },
    jobsToRun: 50_000,
    pickUpFrom: 'request',
    reset: () => ground.management.deleteQueue(QUEUE),
    stored: messages,
    async verify() {
      const left = await messages();
      if (left > 0) throw new Error(`${left} messages are left in the queue`);
    },
  });
}
