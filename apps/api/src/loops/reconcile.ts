import type { JobStore, Outbox } from '@offload/database';
import { compareDispatches, type DispatchLook, dispatchQueue } from '@offload/job-messages';
import { SerializedJob } from '@offload/jobs';
import type { Connection } from '@offload/messaging';
import type { QueueInspector } from '@offload/messaging/queues';
import { Counter, delay, type Logger, type Loop, type Registry, startLoop } from '@offload/process';
import type { Dispatcher } from '../dispatcher.ts';

/** Most jobs changed by one statement. */
const BATCH = 1_000;
/**
 * Most dispatch messages of a queue that a round sends again: a needless one costs a refused claim, and ids take
 * memory.
 */
const MOST_LOST = 10_000;
/** A holder loses its job after this number of unanswered liveness checks in a row. */
const LIVENESS_CHECKS = 3;

export interface ReconcileParts {
  database: {
    outbox: Pick<Outbox, 'countDispatched' | 'listDispatched' | 'redispatchLost' | 'redispatchScheduled'>;
    jobs: Pick<JobStore, 'hasUnheard' | 'releaseUnheld'>;
  };
  inspector: QueueInspector;
  dispatcher: Pick<Dispatcher, 'publishEvent' | 'command'>;
  relay: Loop;
  broker: Pick<Connection, 'state'>;
  queues: readonly string[];
  /** Interval of the rounds, in milliseconds. Only jobs that have been due for so long can lack a dispatch message. */
  everyMs: number;
  /** How long a dispatch message must be missing before it counts as lost, in milliseconds. @default 3_000 */
  lookAgainMs?: number;
  /** Shortest silence after which a holder loses its job, in milliseconds. @default 30_000 */
  silenceMs?: number;
  metrics: Registry;
  log: Logger;
}

/**
 * Finds jobs whose dispatch message the broker has lost (its disk wiped, a queue deleted), and dispatches them again:
 * - queued jobs without a dispatch message: the database has more of them than messages wait in their queue;
 * - running jobs whose worker died, and whose dispatch message is lost: the worker leaves liveness checks unanswered.
 *   If the message is not lost, the broker redelivers it to another worker at once.
 */
export function startReconcile(parts: ReconcileParts): Loop {
  const { database, inspector, dispatcher, relay, broker, queues, everyMs, metrics, log } = parts;
  const { lookAgainMs = 3_000, silenceMs = 30_000 } = parts;
  /**
   * A rise means that RabbitMQ lost messages, or that a worker died unnoticed. One rise after a restart of RabbitMQ is
   * harmless. When it keeps rising, run `npm run doctor` and read RabbitMQ's log.
   */
  const found = new Counter({
    name: 'offload_reconciled_total',
    help: 'Jobs that are dispatched again because dispatch message or holder were missing, by what they were: queued, scheduled or running',
    labelNames: ['status'],
    registers: [metrics],
  });
  let unanswered = 0;
  let lastCall = -Infinity;

  const compare = (queue: string, earlier: DispatchLook | null) =>
    compareDispatches(
      (since) => database.outbox.countDispatched(queue, since),
      () => inspector.inspect(dispatchQueue(queue)),
      earlier,
    );

  async function dispatchLost(queue: string): Promise<number> {
    const first = await compare(queue, null);
    if (first.missing === 0) return 0;
    // A dispatch message that waits at a worker is not in the queue either: the worker answers for it.
    await dispatcher.command({ command: 'liveness-check' });
    await delay(lookAgainMs);
    const { lost } = await compare(queue, first);
    if (lost === 0) return 0;
    return database.outbox.redispatchLost(
      await database.outbox.listDispatched(queue, Math.min(lost, MOST_LOST), everyMs),
    );
  }

  async function callRoll(): Promise<number> {
    // The checks were not in a row: this process was frozen, or the broker was away. A round may also look twice.
    if (performance.now() - lastCall > 2 * (everyMs + lookAgainMs)) unanswered = 0;
    if (!(await database.jobs.hasUnheard(everyMs))) {
      unanswered = 0;
      return 0;
    }
    const released =
      unanswered < LIVENESS_CHECKS
        ? []
        : await database.jobs.releaseUnheld(Math.max(LIVENESS_CHECKS * everyMs, silenceMs), BATCH);
    await Promise.all(released.map((job) => dispatcher.publishEvent(new SerializedJob(job))));
    unanswered = (await dispatcher.command({ command: 'liveness-check' })) ? unanswered + 1 : 0;
    lastCall = performance.now();
    return released.length;
  }

  function tell(status: string, count: number, what: string): void {
    if (count === 0) return;
    found.inc({ status }, count);
    log.warn({ count, status }, `${what}: these jobs are dispatched again`);
    relay.wake();
  }

  async function round(): Promise<number> {
    if (broker.state === 'open') {
      // All queues at once: each may need a second look, and a round must not take longer with more queues.
      const lost = await Promise.all(queues.map(dispatchLost));
      tell(
        'queued',
        lost.reduce((sum, count) => sum + count, 0),
        'dispatch messages are missing',
      );
      tell('scheduled', await database.outbox.redispatchScheduled(BATCH), 'no dispatch messages are pending');
      tell('running', await callRoll(), 'their worker does not answer');
    }
    return everyMs * (0.75 + Math.random() / 2); // no two apis in step
  }

  return startLoop({ name: 'reconcile', round, retryMs: everyMs, log });
}
