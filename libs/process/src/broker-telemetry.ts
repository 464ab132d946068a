import type { EventEmitter } from 'node:events';
import type { Logger } from './logger.ts';
import { Counter, Gauge, type Registry } from './metrics.ts';

/** Logs and counts the events of a process's broker connections. */
export interface BrokerTelemetry {
  /**
   * Observes a connection of @offload/messaging by its events `state`, `channelLost`, `message` and `fault`.
   *
   * @param role the connection's purpose, in the log. @default broker
   */
  observe(events: EventEmitter, role?: string): void;
}

/** How a step of a message changes the number of messages in flight: see `MessageStep` in @offload/messaging. */
const inFlight: Record<string, [direction: 'out' | 'in', change: 1 | -1]> = {
  published: ['out', 1],
  confirmed: ['out', -1],
  returned: ['out', -1],
  nacked: ['out', -1],
  unconfirmed: ['out', -1],
  consumed: ['in', 1],
  acked: ['in', -1],
  requeued: ['in', -1],
  rejected: ['in', -1],
  lost: ['in', -1],
};

/** Makes the telemetry of a process's broker connections, and registers its metrics. */
export function createBrokerTelemetry(log: Logger, registry: Registry): BrokerTelemetry {
  const registers = [registry];
  // Each job has several steps. They are counted in a Map, and copied to the metric only when it is collected.
  const steps = new Map<string, Map<string, number>>(); // by where and step
  const flying = { out: 0, in: 0 };
  /**
   * A published message becomes confirmed, returned, nacked or unconfirmed. A consumed one becomes acked, requeued,
   * rejected or lost. A rise of `rejected` means dead letters: `npm run doctor -- dead-letters`. `returned` means a
   * missing queue; `lost` and `unconfirmed` mean broken connections.
   */
  new Counter({
    name: 'offload_broker_messages_total',
    help: 'Steps of messages, by step and by exchange or queue',
    labelNames: ['step', 'where'],
    registers,
    collect() {
      this.reset();
      for (const [where, counts] of steps) for (const [step, count] of counts) this.inc({ step, where }, count);
    },
  });
  /**
   * A rise of `out` means that RabbitMQ confirms slowly: look at its memory and disk alarms. `in` counts dispatch
   * messages that a worker holds.
   */
  new Gauge({
    name: 'offload_broker_messages_in_flight',
    help: 'Messages not yet confirmed (out), or not yet acknowledged (in)',
    labelNames: ['direction'],
    registers,
    collect() {
      this.set({ direction: 'out' }, flying.out);
      this.set({ direction: 'in' }, flying.in);
    },
  });
  /**
   * Any state but `open` for a minute needs a look. `connecting` means that RabbitMQ is down or out of reach; `blocked`
   * means that it lacks memory or disk. The process's log has the reason.
   */
  const states = new Gauge({
    name: 'offload_broker_connection_state',
    help: '1 for the state that the connection is in: connecting, open, blocked or closed',
    labelNames: ['role', 'state'],
    registers,
  });
  /**
   * A rise means that connections break. Look at the network, at RabbitMQ's log, and for a blocked event loop in the
   * worker's log.
   */
  const reconnects = new Counter({
    name: 'offload_broker_reconnects_total',
    help: 'Connections that came back after they were lost',
    labelNames: ['role'],
    registers,
  });

  return {
    observe(events, role = 'broker') {
      const named = (what: string): string => (role === 'broker' ? what : `${what} (${role})`);
      let current = 'connecting';
      let lost = false;
      states.set({ role, state: current }, 1);
      reconnects.inc({ role }, 0);
      events.on('state', (state: string, reason?: string) => {
        log.info({ reason }, named(`broker ${state}`));
        states.set({ role, state: current }, 0);
        states.set({ role, state }, 1);
        if (state === 'open' && lost) reconnects.inc({ role });
        lost = state === 'connecting' && (lost || current !== 'connecting');
        current = state;
      });
      events.on('channelLost', (reason: string) => log.warn({ reason }, named('the broker closed a channel')));
      events.on('message', (step: string, where: string) => {
        const counts = steps.get(where) ?? new Map<string, number>();
        if (counts.size === 0) steps.set(where, counts);
        counts.set(step, (counts.get(step) ?? 0) + 1);
        const effect = inFlight[step];
        if (effect) flying[effect[0]] += effect[1];
      });
      events.on('fault', (error: Error, context: object) => log.error({ err: error, ...context }, 'message failed'));
    },
  };
}
