import type { Topology } from '@offload/messaging';

/**
 * Every exchange of Offload. Each listener makes its own queue for events and control, see `subscribe` of messaging.
 */
export const exchanges = {
  /** direct; the routing key is the name of the queue */
  jobs: 'jobs',
  /** fanout; dispatch messages that no worker could read, or that returned too often */
  dead: 'jobs.dead',
  /** fanout; every event */
  events: 'jobs.events',
  /** direct, bound to `jobs.events`, for listeners of single events: the routing key is the event's name */
  eventsByName: 'jobs.events.by-name',
  /** fanout; commands from the api to all workers */
  control: 'jobs.control',
  /** fanout; tells every api that job types were registered or removed */
  registrations: 'jobs.registrations',
} as const;

/**
 * The name of the RabbitMQ queue that carries the dispatch messages of a queue of jobs.
 *
 * @example
 * ```ts
 * dispatchQueue('default'); // 'jobs.default'
 * ```
 */
export function dispatchQueue(queue: string): string {
  return `jobs.${queue}`;
}

/**
 * PostgreSQL counts the attempts, so this limit must only be larger than the attempts of a job plus the requeues of
 * prefetched dispatch messages when workers crash.
 */
const DELIVERY_LIMIT = 500;

/**
 * Each look at the dead letters delivers them once more. From RabbitMQ 4.0, a queue without a limit drops them at the
 * 21st.
 */
const UNLIMITED = 1_000_000;

/**
 * Every exchange and queue of Offload.
 *
 * @param queues names of the queues of jobs
 */
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
