import type { ConfirmChannel } from 'amqplib';
import type { Connection } from './connection.ts';

/** Every exchange and queue of the system. Queues for events are made by whoever listens, see subscriber.ts. */
export const topology = {
  /** direct; the routing key is the queue's name */
  jobs: 'jobs',
  /** fanout; rings that nobody could read, or that came back too often */
  dead: 'jobs.dead',
  /** fanout; every event */
  events: 'jobs.events',
} as const;

/** The RabbitMQ queue behind a queue of jobs. */
export function ringQueue(queue: string): string {
  return `jobs.${queue}`;
}

/**
 * Last resort against a ring that keeps killing its consumers. Attempts are counted in PostgreSQL, so this only has to
 * be larger than any job's attempts and the innocent rings that are prefetched beside a crash.
 * https://www.rabbitmq.com/docs/quorum-queues#poison-message-handling
 */
const DELIVERY_LIMIT = 500;

/** Declares the exchanges and the queues of jobs now and after every reconnect; what is there already stays as it is. */
export function declareTopology(connection: Connection, queues: readonly string[]): Promise<void> {
  return connection.keepChannel(async (channel) => {
    await channel.assertExchange(topology.jobs, 'direct', { durable: true });
    await channel.assertExchange(topology.events, 'fanout', { durable: true });
    await declareDeadLetters(channel);
    for (const queue of queues) {
      await channel.assertQueue(ringQueue(queue), {
        durable: true,
        arguments: {
          'x-queue-type': 'quorum',
          'x-delivery-limit': DELIVERY_LIMIT,
          'x-dead-letter-exchange': topology.dead,
        },
      });
      await channel.bindQueue(ringQueue(queue), topology.jobs, queue);
    }
  });
}

async function declareDeadLetters(channel: ConfirmChannel): Promise<void> {
  await channel.assertExchange(topology.dead, 'fanout', { durable: true });
  await channel.assertQueue(topology.dead, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  await channel.bindQueue(topology.dead, topology.dead, '');
}
