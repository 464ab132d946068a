import type { Database, QueueCount } from '@offload/database';
import { dispatchQueue } from '@offload/job-messages';
import type { QueueInfo } from '@offload/jobs/answers';
import type { Connection } from '@offload/messaging';
import type { QueueInspector } from '@offload/messaging/queues';
import { delay } from '@offload/process';
import type { RequestHandler } from 'express';
import type { JobTypes } from '../job-types/job-types.ts';
import type { Backlog } from '../loops/backlog.ts';
import { createInTime } from '../answers/in-time.ts';
import { obeysPriorities } from '../unserved.ts';

/** Longest wait for the broker's answer, in milliseconds. */
const BROKER_TIMEOUT_MS = 1_000;
/** Longest wait if a recent answer is at hand, in milliseconds: a busy broker answers late. */
const BROKER_PATIENCE_MS = 20;
/** How long an earlier answer may replace a late answer, in milliseconds. */
const KNOWN_MS = 10_000;
/** With fewer unfinished jobs than this, each request counts them anew. */
const MANY = 1_000;

export interface QueuesParts {
  database: Database;
  inspector: QueueInspector;
  broker: Pick<Connection, 'brokerVersion'>;
  backlog: Backlog;
  types: Pick<JobTypes, 'queues'>;
  queues: readonly string[];
  /** A clock that only goes forward, in milliseconds. @default performance.now */
  now?: () => number;
}

/** `GET /v1/queues`: the jobs, the job types and the number of consumers of each queue. */
export function listQueues(parts: QueuesParts): RequestHandler {
  const { database, inspector, broker, backlog, types, queues, now = () => performance.now() } = parts;
  const inTime = createInTime();
  /** The broker's last answer about each queue, with its time. */
  const known = new Map<string, { consumers: number | null; at: number }>();

  function knownConsumers(queue: string): number | null {
    const last = known.get(queue);
    return last && now() - last.at < KNOWN_MS ? last.consumers : null;
  }

  /** @returns null while the broker does not answer */
  async function consumers(queue: string, soon: Promise<null>, late: Promise<null>): Promise<number | null> {
    const asked = inspector.inspect(dispatchQueue(queue)).then(
      (status) => status?.consumers ?? 0,
      () => null,
    );
    void asked.then((answer) => known.set(queue, { consumers: answer, at: now() }));
    return Promise.race([asked, soon.then(() => knownConsumers(queue) ?? late)]);
  }

  async function countQueues(): Promise<QueueCount[]> {
    const counts = backlog.counts();
    const isDeep = counts.some(({ ready, running, scheduled }) => ready + running + scheduled > MANY);
    return isDeep ? inTime(database.queues.count, () => counts) : database.queues.count();
  }

  return async (_request, response) => {
    const counts = new Map((await countQueues()).map((count) => [count.queue, count]));
    const soon = delay(BROKER_PATIENCE_MS, null, { ref: false });
    const late = delay(BROKER_TIMEOUT_MS, null, { ref: false });
    // The broker may not have another queue. It would then close the channel that all these questions share.
    const ask = (queue: string) => (queues.includes(queue) ? consumers(queue, soon, late) : null);
    const none = { ready: 0, running: 0, scheduled: 0, oldestWaitingMs: null };
    const needed = types.queues();
    const infos = [...new Set([...queues, ...counts.keys(), ...needed.keys()])].map(
      async (queue): Promise<QueueInfo> => {
        const { ready, running, scheduled, oldestWaitingMs: oldest } = counts.get(queue) ?? none;
        const oldestWaitingMs = oldest === null ? null : Math.round(oldest);
        const counted = { ready, running, scheduled, consumers: await ask(queue), oldestWaitingMs };
        return { queue, types: needed.get(queue) ?? [], ...counted, drainPerSecond: backlog.drainPerSecond(queue) };
      },
    );
    const priorities = obeysPriorities(broker.brokerVersion);
    response.set('Cache-Control', 'no-store').json({ queues: await Promise.all(infos), priorities });
  };
}
