import type { QueueInfo } from '@offload/contracts';
import type { Database } from '@offload/database';
import { ringQueue, type QueueInspector } from '@offload/messaging';
import type { RequestHandler } from 'express';
import type { Backlog } from '../backlog.ts';

export interface QueuesParts {
  database: Database;
  inspector: QueueInspector;
  backlog: Backlog;
  queues: readonly string[];
}

/** `GET /v1/queues`: what is in each queue, and who works on it. */
export function listQueues({ database, inspector, backlog, queues }: QueuesParts): RequestHandler {
  /** @returns null while the broker can't say */
  async function consumers(queue: string): Promise<number | null> {
    return inspector.inspect(ringQueue(queue)).then(
      (status) => status?.consumers ?? 0,
      () => null,
    );
  }

  return async (_request, response) => {
    const counts = new Map((await database.countQueues()).map((count) => [count.queue, count]));
    const none = { ready: 0, running: 0, scheduled: 0, oldestWaitingMs: null };
    const infos = [...new Set([...queues, ...counts.keys()])].map(async (queue): Promise<QueueInfo> => {
      const { ready, running, scheduled, oldestWaitingMs: oldest } = counts.get(queue) ?? none;
      const oldestWaitingMs = oldest === null ? null : Math.round(oldest);
      const counted = { ready, running, scheduled, consumers: await consumers(queue), oldestWaitingMs };
      return { queue, ...counted, drainPerSecond: backlog.drainPerSecond(queue) };
    });
    response.set('Cache-Control', 'no-store').json({ queues: await Promise.all(infos) });
  };
}
