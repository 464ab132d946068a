import type { JobRegistration } from '@offload/jobs/definitions';
import type { Pool } from 'pg';
import type { RunningWorker } from './register-types.ts';

/** One version of a job type, and the workers that run it. */
export interface RegisteredType extends JobRegistration {
  /** SHA-256 of both schemas. */
  fingerprint: string;
  /** Instances of the workers that run this version now. */
  workers: string[];
  /** When it was last registered, or a worker that runs it was last heard, to the minute. RFC 3339. */
  lastSeenAt: string;
}

/** A worker, as it was last heard. */
export interface RegisteredWorker extends RunningWorker {
  /** How many jobs it runs now. */
  running: number;
  /** When it started. RFC 3339. */
  startedAt: string;
  /** When it was last heard. RFC 3339. */
  lastHeardAt: string;
}

/**
 * SQL: a condition that the worker was heard in the last 30 seconds, so that it counts as running. Workers report every
 * ten seconds.
 */
export const isHeard = (worker: string): string => `${worker}.last_heard_at > now() - interval '30 seconds'`;

const listTypesSql = `
  select type, version, description, queue, timeout_ms as "timeoutMs", max_attempts as "maxAttempts", backoff, upgrades,
    payload_schema as "payloadSchema", result_schema as "resultSchema", fingerprint, last_seen_at as "lastSeenAt",
    array(
      select instance from workers as worker
      where worker.types ->> job_types.type = job_types.version::text and ${isHeard('worker')} order by instance
    ) as workers
  from job_types order by type, version desc`;

/** Lists each version of each type, by type, newest version first. */
export async function listTypes(pool: Pool): Promise<RegisteredType[]> {
  const { rows } = await pool.query<RegisteredType>({ name: 'list-types', text: listTypesSql });
  return rows;
}

const listWorkersSql = `
  with running as (
    select holder, count(*)::int as jobs from jobs where status = 'running' group by holder
  )
  select instance, version, queues, slots, types, draining, started_at as "startedAt", last_heard_at as "lastHeardAt",
    coalesce(running.jobs, 0) as running
  from workers left join running on running.holder = workers.instance order by instance`;

/** Lists the workers that were heard in the last hour and have not stopped. */
export async function listWorkers(pool: Pool): Promise<RegisteredWorker[]> {
  const { rows } = await pool.query<RegisteredWorker>({ name: 'list-workers', text: listWorkersSql });
  return rows;
}
