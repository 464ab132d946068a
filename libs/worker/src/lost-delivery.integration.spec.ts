import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type Database, migrate, openDatabase } from '@offload/database';
import { exchanges, jobTopology, dispatch, dispatchQueue } from '@offload/job-messages';
import type { JobError } from '@offload/jobs';
import { defineJob } from '@offload/jobs/definitions';
import { connect, type Connection, consume, createPublisher } from '@offload/messaging';
import type { Outbound } from '@offload/outbound';
import { createBrokerTelemetry, createLogger, createMetrics } from '@offload/process';
import { eventually, freshDatabaseUrl } from '@offload/spec-kit';
import { startBroker, type TestBroker } from '@offload/spec-kit/servers';
import { z } from 'zod';
import { createHeldJobs } from './held-jobs.ts';
import { createJobMetrics } from './job-metrics.ts';
import { runJob, type RunJobParts } from './run-job.ts';

const definition = defineJob({
  type: 'spec.long',
  description: 'Takes longer than the broker lets a delivery be out.',
  payload: z.unknown(),
  result: z.unknown(),
});

let broker: TestBroker;
let database: Database;
let connection: Connection;
beforeAll(async () => {
  broker = await startBroker({ consumerTimeoutMs: 1_000 });
  const url = freshDatabaseUrl();
  await migrate(url);
  database = openDatabase({ url });
  connection = connect({ url: broker.amqpUrl, topology: jobTopology(['default']) });
}, 60_000);
afterAll(async () => {
  await connection.close();
  await Promise.all([database.close(), broker.remove()]);
}, 60_000);

it("a job that takes longer than the broker's consumer_timeout ends, and says why", async () => {
  const log = createLogger('spec', { level: 'silent', instance: 'spec' });
  const warnings: unknown[] = [];
  log.warn = ((context: { reason?: string }, message: string) =>
    void warnings.push([message, context.reason])) as typeof log.warn;
  createBrokerTelemetry(log, createMetrics()).observe(connection.events);
  const attempts: number[] = [];
  const parts: RunJobParts = {
    database,
    publishEvent: async () => undefined,
    holder: 'spec',
    heldJobs: createHeldJobs(new AbortController().signal),
    findHandler: () => ({
      definition,
      handler(_payload, { attempt, signal }) {
        attempts.push(attempt);
        return new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        });
      },
    }),
    outbound: {} as Outbound,
    metrics: createJobMetrics(createMetrics()),
    log,
    stopping: new AbortController().signal,
  };
  const { timeoutMs, backoff } = definition.policy;
  const policy = { queue: 'default', priority: 0, tags: [], maxAttempts: 1, timeoutMs, backoff, delayMs: 0 };
  const work = { id: randomUUID(), type: definition.type, payload: null, runAt: null };
  const { job, outboxId } = await database.jobs.create({ ...work, ...policy });
  const publisher = createPublisher(connection);
  await publisher.publish(
    dispatch,
    { jobId: job.id, type: job.type },
    { exchange: exchanges.jobs, routingKey: 'default' },
  );
  await database.outbox.confirm(outboxId);
  consume(connection, {
    queue: dispatchQueue('default'),
    message: dispatch,
    handle: (delivery) => runJob(delivery, parts),
  });

  const failed = await eventually(
    async () => {
      const row = await database.jobs.get(job.id);
      if (row?.status !== 'failed') throw new Error(`the job is ${row?.status} at its attempt ${row?.attempt}`);
      return row;
    },
    { timeoutMs: 40_000 },
  );
  expect(attempts).toEqual([1, 2, 3]);
  expect(failed.errors).toEqual([]);
  const { code, message } = failed.error as JobError;
  expect(code).toBe('delivery-lost');
  expect(message).toMatch(/timed out.* 1000 ms|consumer_timeout/);
  expect(warnings).toContainEqual(['the broker closed a channel', message]);
}, 60_000);
