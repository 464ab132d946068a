import { setTimeout as delay } from 'node:timers/promises';
import { addressOf, exchanges, jobEvents } from '@offload/job-messages';
import type { Job } from '@offload/jobs';
import { eventOf, type JobEvent } from '@offload/jobs/events';
import { type Connection, createListPublisher, createPublisher } from '@offload/messaging';
import type { Pool } from 'pg';
import { sentNow } from './sent-at.ts';

/** Interval between checks for due events, in milliseconds. */
const TICK_MS = 2;
/** Most unconfirmed events, so that a slow broker is not overloaded. */
const MOST_UNCONFIRMED = 2_000;

const sql = `
  insert into jobs (id, type, queue, status, priority, tags, payload, attempt, max_attempts, timeout_ms, backoff, due_at, started_at)
  select overlay(gen_random_uuid()::text placing '7' from 15 for 1)::uuid, 'demo.sleep', 'default', 'running', 0, '{nightly}',
    '{"seconds":60}', 1, 5, 120000, '{"baseMs":1000,"factor":2,"maxMs":300000}', now(), now()
  from generate_series(1, $1::int)
  returning id, created_at as "createdAt"`;

/** Stores running jobs. */
export async function insertJobs(pool: Pool, count: number): Promise<Job[]> {
  const { rows } = await pool.query<{ id: string; createdAt: Date }>(sql, [count]);
  return rows.map(({ id, createdAt }): Job => {
    const at = createdAt.toISOString();
    const was = { createdAt: at, dueAt: at, startedAt: at, finishedAt: null, durationMs: null };
    const work = { type: 'demo.sleep', queue: 'default', priority: 0, tags: ['nightly'], payload: { seconds: 60 } };
    const outcome = { result: null, error: null, errors: [], progress: null };
    return { id, ...work, status: 'running', ...outcome, attempt: 1, maxAttempts: 5, version: 1, ...was };
  });
}

/** Publishes the progress of jobs as a worker does. */
export interface JobEvents {
  readonly jobs: readonly Job[];
  /** Length of an event as JSON. */
  readonly bytes: number;
  /**
   * Publishes events at a rate, of all jobs in turn, or of the first `only` jobs.
   *
   * @returns the number of events, when all are confirmed
   */
  publish(load: { rate: number; seconds: number; only?: number | undefined }): Promise<number>;
}

/** Makes the events of these jobs. */
export function createJobEvents(broker: Connection, jobs: readonly Job[]): JobEvents {
  const toListeners = { exchange: exchanges.events, mandatory: false };
  const events = createListPublisher(createPublisher(broker), jobEvents, toListeners);
  let next = 0;
  let version = 1;

  function eventFor(job: Job): JobEvent {
    const progress = { percent: 50, message: sentNow() };
    return eventOf({ ...job, version: (version += 1), progress }, 'job.progress');
  }
  function publishOne(): Promise<void> {
    const event = eventFor(jobs[next] as Job);
    return events.publish(event, addressOf(event));
  }

  return {
    jobs,
    bytes: JSON.stringify(eventFor(jobs[0] as Job).data).length,
    async publish({ rate, seconds, only = jobs.length }) {
      const unconfirmed = new Set<Promise<void>>();
      const from = performance.now();
      let published = 0;
      for (let passed = 0; passed < seconds; passed = (performance.now() - from) / 1_000) {
        let pending = Math.floor(passed * rate) + 1 - published;
        for (; pending > 0 && unconfirmed.size < MOST_UNCONFIRMED; pending -= 1) {
          next = (next + 1) % only;
          published += 1;
          const call = publishOne().finally(() => unconfirmed.delete(call));
          unconfirmed.add(call);
        }
        await delay(TICK_MS);
      }
      await Promise.all(unconfirmed);
      return published;
    },
  };
}
