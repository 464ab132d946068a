import { randomUUID } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { defaultPolicy } from '@offload/jobs/definitions';
import { migrate, openDatabase } from '@offload/database';
import { createLogger, createMetrics } from '@offload/process';
import { eventually, freshDatabaseUrl } from '@offload/spec-kit';
import { v7 as uuidv7 } from 'uuid';
import { startBacklog } from './backlog.ts';

it('follows a queue from its first job to its last', async () => {
  const url = freshDatabaseUrl();
  await migrate(url);
  const database = openDatabase({ url });
  const log = createLogger('api', { level: 'silent', instance: 'spec' });
  const backlog = startBacklog({ database, queues: ['default'], everyMs: 10, metrics: createMetrics(), log });
  try {
    const { maxAttempts, timeoutMs, backoff } = defaultPolicy;
    const policy = { priority: 0, tags: [], maxAttempts, timeoutMs, backoff, delayMs: 0, runAt: null };
    const ids = Array.from({ length: 20 }, () => uuidv7());
    const work = { type: 'demo.sleep', payload: {}, queue: 'default' };
    await Promise.all(ids.map((id) => database.jobs.create({ id, ...work, ...policy })));
    await eventually(() => expect(backlog.waiting('default')).toBe(20));

    for (const [index, jobId] of ids.entries()) {
      const dispatch = { dispatchId: randomUUID(), claimId: randomUUID(), redelivered: false, deliveryCount: 0 };
      await database.jobs.claim({ jobId, ...dispatch, holder: 'spec' });
      if (index === 9) await eventually(() => expect(backlog.waiting('default')).toBe(10));
    }
    await eventually(() => expect(backlog.waiting('default')).toBe(0));
    expect(backlog.drainPerSecond('default')).toBeGreaterThan(0);
    expect(backlog.estimateMs('default', 10)).toBeGreaterThan(0);
  } finally {
    await backlog.stop();
    await database.close();
  }
});
