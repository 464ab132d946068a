import type { Topology } from '@offload/messaging';

/** Every exchange of Offload. Queues for events and for control are made by whoever listens, see subscriber.ts. */
export const exchanges = {
  /** direct; the routing key is the queue's name */
  jobs: 'jobs',
  /** fanout; dispatch messages that nobody could read, or that came back too often */
  dead: 'jobs.dead',
  /** fanout; every event */
  events: 'jobs.events',
  /** direct, fed by `jobs.events`; for who wants some of them: the routing key is the event's name */
  eventsByName: 'jobs.events.by-name',
  /** fanout; what the api tells all workers */
  control: 'jobs.control',
  /** fanout; tells apis that job types were registered or removed */
  registrations: 'jobs.registrations',
} as const;

/** The RabbitMQ queue behind a queue of jobs. */
export function dispatchQueue(queue: string): string {
  return `jobs.${queue}`;
}

/**
 * Attempts are counted in PostgreSQL, so this only has to be larger than any job's attempts and the innocent dispatch messages that
 * are prefetched beside a crash.
 */
const DELIVERY_LIMIT = 500;

/** Each look at the dead letters hands them out; from RabbitMQ 4.0 a queue that says nothing drops them at the 21st. */
const UNLIMITED = 1_000_000;

/** Every exchange and queue of Offload, with these queues of jobs. */
export function jobTopology(queues: readonly string[]): Topology {
  const dispatchQueues = queues.map((queue) => [
    dispatchQueue(queue),
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
      [exchanges.eventsByName]: { type: 'direct', bindings: [{ exchange: exchanges.events }] },
      [exchanges.control]: { type: 'fanout' },
      [exchanges.registrations]: { type: 'fanout' },
    },
    queues: {
      [exchanges.dead]: { bindings: [{ exchange: exchanges.dead }], deliveryLimit: UNLIMITED },
      ...Object.fromEntries(dispatchQueues),
    },
  };
}
