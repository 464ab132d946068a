import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '@offload/database';
import { ringQueue, type Connection, type QueueInspector } from '@offload/messaging';
import { Counter, type Logger, type Registry } from '@offload/runtime';
import type { Bell } from './bell.ts';
import { startLoop, type Loop } from './loop.ts';

/** Most jobs changed by one statement. */
const BATCH = 1_000;
/** How often to look before a ring is taken for lost, and the pause between two looks. */
const LOOKS = 3;
const LOOK_AGAIN_MS = 100;
/** Roll calls in a row that a holder must have left unanswered. */
const ROLL_CALLS = 3;

export interface ReconcileParts {
  database: Pick<Database, 'countRung' | 'oweLostRings' | 'oweScheduledRings' | 'hasUnheard' | 'releaseUnheld'>;
  inspector: QueueInspector;
  bell: Pick<Bell, 'announce' | 'command'>;
  relay: Loop;
  broker: Pick<Connection, 'state'>;
  queues: readonly string[];
  /** How often to look, in milliseconds; a ring is lost when its job has been due for so long, too. */
  everyMs: number;
  metrics: Registry;
  log: Logger;
}

/**
 * Finds what the broker has forgotten (its disk wiped, a queue deleted) and has it rung again:
 * - queued jobs without a ring: there are more of them than rings waiting in their queue;
 * - running jobs whose worker died with the ring: it leaves roll calls unanswered. Normally the broker tells of a dead
 *   worker at once, by handing its rings to another.
 */
export function startReconcile(parts: ReconcileParts): Loop {
  const { database, inspector, bell, relay, broker, queues, everyMs, metrics, log } = parts;
  const found = new Counter({
    name: 'offload_reconciled_total',
    help: 'Jobs that are rung again because the broker lost their ring, by what they were: queued, scheduled or running',
    labelNames: ['status'],
    registers: [metrics],
  });
  let unanswered = 0;
  let lastCall = -Infinity;

  /** @returns how many rings of a queue were missing throughout: those between queue and claim are not for long */
  async function countLost(queue: string): Promise<number> {
    let lost = Infinity;
    for (let look = 1; lost > 0 && look <= LOOKS; look += 1) {
      if (look > 1) await delay(LOOK_AGAIN_MS);
      // Counted on both sides of the look into the queue: rings come and go meanwhile.
      const before = await database.countRung(queue);
      if (before === 0) return 0;
      const status = await inspector.inspect(ringQueue(queue));
      const after = await database.countRung(queue);
      lost = Math.min(lost, before - (status?.ready ?? 0), after - (status?.ready ?? 0));
    }
    return lost;
  }

  async function ringLost(queue: string): Promise<number> {
    const lost = await countLost(queue);
    let owed = 0;
    while (owed < lost) {
      const more = await database.oweLostRings(queue, Math.min(lost - owed, BATCH), everyMs);
      if (more === 0) break; // the others are too young to tell
      owed += more;
    }
    return owed;
  }

  async function callRoll(): Promise<number> {
    if (performance.now() - lastCall > 2 * everyMs) unanswered = 0; // not in a row: we were frozen, or the broker away
    if (!(await database.hasUnheard(everyMs))) {
      unanswered = 0;
      return 0;
    }
    const released = unanswered < ROLL_CALLS ? [] : await database.releaseUnheld(ROLL_CALLS * everyMs, BATCH);
    await Promise.all(released.map((job) => bell.announce(job)));
    unanswered = (await bell.command({ command: 'roll-call' })) ? unanswered + 1 : 0;
    lastCall = performance.now();
    return released.length;
  }

  function tell(status: string, count: number): void {
    if (count === 0) return;
    found.inc({ status }, count);
    log.warn({ count, status }, 'the broker lost rings: these jobs are rung again');
    relay.wake();
  }

  async function round(): Promise<number> {
    if (broker.state === 'open') {
      for (const queue of queues) tell('queued', await ringLost(queue));
      tell('scheduled', await database.oweScheduledRings(BATCH));
      tell('running', await callRoll());
    }
    return everyMs * (0.75 + Math.random() / 2); // no two apis in step
  }

  return startLoop({ name: 'reconcile', round, retryMs: everyMs, log });
}
