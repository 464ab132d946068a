import type { QueueInfo } from '@offload/contracts';
import type { Database } from '@offload/database';
import { ringQueue, type Connection, type QueueInspector } from '@offload/messaging';
import { delay } from '@offload/runtime';
import type { RequestHandler } from 'express';
import type { Backlog } from '../backlog.ts';
import { obeysPriorities } from '../unserved.ts';

/** The broker is waited for no longer, in milliseconds. */
const BROKER_TIMEOUT_MS = 1_000;

export interface QueuesParts {
  database: Database;
  inspector: QueueInspector;
  broker: Pick<Connection, 'brokerVersion'>;
  backlog: Backlog;
  queues: readonly string[];
}

/** `GET /v1/queues`: what is in each queue, and who works on it. */
export function listQueues({ database, inspector, broker, backlog, queues }: QueuesParts): RequestHandler {
  /** @returns null while the broker can't say */
  async function consumers(queue: string, late: Promise<null>): Promise<number | null> {
    const asked = inspector.inspect(ringQueue(queue)).then(
      (status) => status?.consumers ?? 0,
      () => null,
    );
    return Promise.race([asked, late]);
  }

  return async (_request, response) => {
    const counts = new Map((await database.countQueues()).map((count) => [count.queue, count]));
    const late = delay(BROKER_TIMEOUT_MS, null, { ref: false });
    const none = { ready: 0, running: 0, scheduled: 0, oldestWaitingMs: null };
    const infos = [...new Set([...queues, ...counts.keys()])].map(async (queue): Promise<QueueInfo> => {
      const { ready, running, scheduled, oldestWaitingMs: oldest } = counts.get(queue) ?? none;
      const oldestWaitingMs = oldest === null ? null : Math.round(oldest);
      const counted = { ready, running, scheduled, consumers: await consumers(queue, late), oldestWaitingMs };
      return { queue, ...counted, drainPerSecond: backlog.drainPerSecond(queue) };
    });
    const priorities = obeysPriorities(broker.brokerVersion);
    response.set('Cache-Control', 'no-store').json({ queues: await Promise.all(infos), priorities });
  };
}
