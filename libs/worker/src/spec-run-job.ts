import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { afterAll, beforeAll, beforeEach } from '@jest/globals';
import { type Database, migrate, type NewJob, openDatabase, type JobStore } from '@offload/database';
import type { Control } from '@offload/job-messages';
import type { Job } from '@offload/jobs';
import { defineJob } from '@offload/jobs/definitions';
import type { EventName } from '@offload/jobs/events';
import type { Outbound } from '@offload/outbound';
import { createLogger, createMetrics } from '@offload/process';
import { freshDatabaseUrl } from '@offload/spec-kit';
import { z } from 'zod';
import type { HandlerContext } from './handler.ts';
import { createHeldJobs } from './held-jobs.ts';
import { createJobMetrics } from './job-metrics.ts';
import { obey } from './obey.ts';
import { runJob, type RunJobParts } from './run-job.ts';
import type { Slots } from './slots.ts';

export const definition = defineJob({
  type: 'spec.job',
  description: 'Does what the spec says.',
  payload: z.unknown(),
  result: z.unknown(),
});

/** What tests set and look at. All but the database begins anew with each test. */
export const world = {
  database: undefined as unknown as Database,
  published: [] as { event: EventName | undefined; job: Job }[],
  brokerFaults: [] as Error[],
  handler: (async () => 'done') as (payload: unknown, context: HandlerContext) => Promise<unknown>,
  slots: undefined as Slots | undefined,
  /** What a worker logged, level and line. */
  logged: [] as [string, Record<string, unknown>][],
};

beforeAll(async () => {
  const url = freshDatabaseUrl();
  await migrate(url);
  world.database = openDatabase({ url });
});

afterAll(() => world.database.close());

beforeEach(() => {
  Object.assign(world, { published: [], brokerFaults: [], handler: async () => 'done', slots: undefined, logged: [] });
});

/** The database with other calls in place of some about jobs. */
export function withJobs(calls: Partial<JobStore>): Database {
  return { ...world.database, jobs: { ...world.database.jobs, ...calls } };
}

/** A worker without a broker: deliveries are made by hand, so that each order of events can be had. */
export function worker(onDatabase: Database = world.database) {
  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal); // as in main.ts
  const letGo = new AbortController();
  const log = createLogger('spec', { level: 'silent', instance: 'spec' });
  for (const level of ['info', 'warn', 'error'] as const) {
    log[level] = (line: object) => void world.logged.push([level, line as Record<string, unknown>]);
  }
  const parts: RunJobParts = {
    database: onDatabase,
    async publishEvent({ job }, event) {
      const fault = world.brokerFaults.shift();
      if (fault) throw fault;
      world.published.push({ event, job });
    },
    holder: 'spec',
    heldJobs: createHeldJobs(letGo.signal),
    findHandler: (type) =>
      type === definition.type
        ? { definition, handler: (payload, context) => world.handler(payload, context), slots: world.slots }
        : undefined,
    outbound: {} as Outbound,
    metrics: createJobMetrics(createMetrics()),
    log,
    stopping: stopping.signal,
  };
  return {
    run: (message: Parameters<typeof runJob>[0]) => runJob(message, parts),
    told: (control: Control) => obey(control, parts),
    stop: () => stopping.abort(new Error('the worker is stopping')),
    letGo: () => letGo.abort(new Error('the worker is stopping')),
  };
}

export async function queuedJob(more: Partial<NewJob> = {}): Promise<Job> {
  const { maxAttempts, timeoutMs, backoff } = definition.policy;
  const { job } = await world.database.jobs.create({
    id: randomUUID(),
    type: definition.type,
    queue: 'default',
    priority: 0,
    tags: [],
    payload: { n: 1 },
    maxAttempts,
    timeoutMs,
    backoff,
    delayMs: 0,
    runAt: null,
    ...more,
  });
  return job;
}

let handedOut = 0;

/** A delivery of the job's dispatch message, and the end of its channel. */
interface DispatchDelivery {
  lost: AbortController;
  dispatchId: string;
  message: Parameters<typeof runJob>[0];
}

export function delivery(
  job: { id: string; type: string },
  more: { dispatchId?: string; redelivered?: boolean } = {},
): DispatchDelivery {
  const lost = new AbortController();
  const { dispatchId = randomUUID(), redelivered = false } = more;
  const deliveryCount = redelivered ? (handedOut += 1) : 0;
  const body = { jobId: job.id, type: job.type };
  return {
    lost,
    dispatchId,
    message: { body, messageId: dispatchId, redelivered, deliveryCount, signal: lost.signal },
  };
}

export const statuses = (): string[] => world.published.map(({ event, job }) => event ?? `job.${job.status}`);
