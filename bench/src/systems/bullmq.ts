import { Queue } from 'bullmq';
import type { Ground } from '../ground/ground.ts';
import type { Durability } from '../ground/redis.ts';
import { peerSystem } from './peer-system.ts';
import type { System } from './system.ts';

/** BullMQ on a Redis that syncs its log once a second, or before each answer. */
export function bullmq({ redis }: Ground, durability: Durability): System {
  const url = 'missing' in redis ? '' : redis.url;

  async function counts(): Promise<Record<string, number>> {
    const { hostname: host, port } = new URL(url);
    const queue = new Queue('jobs', { connection: { host, port: Number(port) } });
    try {
      return await queue.getJobCounts('waiting', 'active', 'completed', 'failed', 'delayed', 'prioritized');
    } finally {
      await queue.close();
    }
  }

  return peerSystem({
    name: `BullMQ, fsync ${durability === 'everysec' ? 'each second' : 'always'}`,
    program: 'bullmq',
    env: { REDIS_URL: url },
    missing: 'missing' in redis ? redis.missing : undefined,
    can: { store: true, run: true },
    jobsToRun: 20_000,
    reset: async () => void ('missing' in redis || (await redis.reset(durability))),
    stored: async () => Object.values(await counts()).reduce((sum, count) => sum + count, 0),
    async verify(expected) {
      const { completed } = await counts();
      if (completed !== expected) throw new Error(`${completed} of ${expected} jobs are completed`);
    },
  });
}
