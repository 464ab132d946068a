import { describe, expect, it } from '@jest/globals';
import { eventually } from '@offload/spec-kit';
import { consume } from './consumer.ts';
import { BrokerUnavailableError } from './errors.ts';
import { inspectQueues } from './inspect-queues.ts';
import { text } from './message.ts';
import { createPublisher } from './publisher.ts';
import { useVhost } from './spec-vhost.ts';

const vhost = useVhost();
const topology = { queues: { letters: {} } } as const;

describe('inspectQueues', () => {
  it('tells what waits in a queue and who consumes it', async () => {
    const { connection } = vhost.connect({ topology });
    const queues = inspectQueues(connection);
    const publisher = createPublisher(connection);
    for (const letter of ['a', 'b', 'c']) await publisher.publish(text, letter, { queue: 'letters' });
    await eventually(async () => expect(await queues.inspect('letters')).toEqual({ ready: 3, consumers: 0 }));

    consume(connection, {
      queue: 'letters',
      message: text,
      prefetch: 1,
      handle: () => new Promise<void>(() => undefined),
    });
    await eventually(async () => expect(await queues.inspect('letters')).toEqual({ ready: 2, consumers: 1 }));
  });

  it('tells that a queue is not there, and has it declared again', async () => {
    const { connection } = vhost.connect({ topology });
    const queues = inspectQueues(connection);
    await connection.opened;
    const observer = await vhost.observer();
    await observer.deleteQueue('letters');

    expect(await queues.inspect('letters')).toBeNull();
    await eventually(async () => expect(await queues.inspect('letters')).toEqual({ ready: 0, consumers: 0 }));
  });

  it('refuses while the broker is away', async () => {
    const { connection } = vhost.connect({ topology });
    const queues = inspectQueues(connection);
    await connection.opened;
    await connection.close();
    await expect(queues.inspect('letters')).rejects.toThrow(BrokerUnavailableError);
  });
});
