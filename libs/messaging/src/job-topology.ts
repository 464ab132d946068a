import type { Topology } from './topology.ts';

/** Every exchange of Offload. Queues for events are made by whoever listens, see subscriber.ts. */
export const exchanges = {
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
 * Attempts are counted in PostgreSQL, so this only has to be larger than any job's attempts and the innocent rings that
 * are prefetched beside a crash.
 */
const DELIVERY_LIMIT = 500;

/** Every exchange and queue of Offload, with these queues of jobs. */
export function jobTopology(queues: readonly string[]): Topology {
  const ringQueues = queues.map((queue) => [
    ringQueue(queue),
    {
      bindings: [{ exchange: exchanges.jobs, routingKey: queue }],
      deadLetterExchange: exchanges.dead,
      deliveryLimit: DELIVERY_LIMIT,
    },
  ]);
  return {
    exchanges: {
      [exchanges.jobs]: { type: 'direct' },
      [exchanges.dead]: { type: 'fanout' },
      [exchanges.events]: { type: 'fanout' },
    },
    queues: { [exchanges.dead]: { bindings: [{ exchange: exchanges.dead }] }, ...Object.fromEntries(ringQueues) },
  };
}
