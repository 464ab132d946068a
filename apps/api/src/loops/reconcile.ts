import type { JobStore, Outbox } from '@offload/database';
import { compareDispatches, type DispatchLook, dispatchQueue } from '@offload/job-messages';
import { SerializedJob } from '@offload/jobs';
import type { Connection } from '@offload/messaging';
import type { QueueInspector } from '@offload/messaging/queues';
import { Counter, delay, type Logger, type Loop, type Registry, startLoop } from '@offload/process';
import type { Dispatcher } from '../dispatcher.ts';

/** Most jobs changed by one statement. */
const BATCH = 1_000;
/** Most dispatch messages of a queue that are sent again in a round: a wrong one costs a refused claim, and the ids take memory. */
const MOST_LOST = 10_000;
/** Liveness checks in a row that a holder must have left unanswered. */
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
  /** How often to look, in milliseconds; a dispatch message is lost when its job has been due for so long, too. */
  everyMs: number;
  /** How long a dispatch message must be missing before it is taken for lost, in milliseconds. @default 3_000 */
  lookAgainMs?: number;
  /** How long a holder must be silent, at least, before it loses its job, in milliseconds. @default 30_000 */
  silenceMs?: number;
  metrics: Registry;
  log: Logger;
}

/**
 * Finds what the broker has forgotten (its disk wiped, a queue deleted) and has it dispatched again:
 * - queued jobs without a dispatch message: there are more of them than dispatch messages waiting in their queue;
 * - running jobs whose worker died with the dispatch message: it leaves liveness checks unanswered. Normally the broker tells of a dead
 *   worker at once, by handing its dispatch messages to another.
 */
export function startReconcile(parts: ReconcileParts): Loop {
  const { database, inspector, dispatcher, relay, broker, queues, everyMs, metrics, log } = parts;
  const { lookAgainMs = 3_000, silenceMs = 30_000 } = parts;
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
    // A dispatch message that waits at a worker is missing, too: the worker says so.
    await dispatcher.command({ command: 'liveness-check' });
    await delay(lookAgainMs);
    const { lost } = await compare(queue, first);
    if (lost === 0) return 0;
    return database.outbox.redispatchLost(
      await database.outbox.listDispatched(queue, Math.min(lost, MOST_LOST), everyMs),
    );
  }

  async function callRoll(): Promise<number> {
    // Not in a row: we were frozen, or the broker away. A round may have looked for lost dispatch messages twice.
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
      // All queues at once: each may take a second look, and a round must not be the longer the more there are.
      const lost = await Promise.all(queues.map(dispatchLost));
      tell(
        'queued',
        lost.reduce((sum, count) => sum + count, 0),
        'dispatch messages are missing',
      );
      tell('scheduled', await database.outbox.redispatchScheduled(BATCH), 'no dispatch messages were pending');
      tell('running', await callRoll(), 'their worker does not answer');
    }
    return everyMs * (0.75 + Math.random() / 2); // no two apis in step
  }

  return startLoop({ name: 'reconcile', round, retryMs: everyMs, log });
}
