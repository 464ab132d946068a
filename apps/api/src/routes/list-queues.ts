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

/** The broker is waited for no longer, in milliseconds. */
const BROKER_TIMEOUT_MS = 1_000;
/** Nor so long where it has said something a moment ago: it takes its time when it is busy. */
const BROKER_PATIENCE_MS = 20;
/** How long what it said may be shown in place of a late answer, in milliseconds. */
const KNOWN_MS = 10_000;
/** With fewer unfinished jobs than this they are counted for each request. */
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

/** `GET /v1/queues`: what is in each queue, which job types need it, and who works on it. */
export function listQueues(parts: QueuesParts): RequestHandler {
  const { database, inspector, broker, backlog, types, queues, now = () => performance.now() } = parts;
  const inTime = createInTime();
  /** What the broker said last of how many work on a queue, and when. */
  const known = new Map<string, { consumers: number | null; at: number }>();

  function knownConsumers(queue: string): number | null {
    const last = known.get(queue);
    return last && now() - last.at < KNOWN_MS ? last.consumers : null;
  }

  /** @returns null while the broker can't say */
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
    // Of another queue the broker may have none, and would close the channel with which all of them are asked.
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
