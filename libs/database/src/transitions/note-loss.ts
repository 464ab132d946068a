import type { Pool } from 'pg';
import { hasStatus, isOneOf } from '../by-id.ts';
import type { HeldJob } from './hold-jobs.ts';

// Locks rows in the order of claims and outcomes. A row that is locked is left out, so that the others get their notes.
const sql = `
  with mine as (
    select job.id from (select * from unnest($1::uuid[], $2::int[]) as held(id, attempt) order by id) as held
    cross join lateral (
      select id from jobs where id = held.id and attempt = held.attempt and ${hasStatus('jobs', 'running')} for update skip locked
    ) as job
  )
  update jobs as job set loss_note = jsonb_build_object('attempt', job.attempt, 'message', $3::text)
  from mine where job.id = mine.id and ${isOneOf('job', 'mine')}`;

/** Stores the error message of these attempts in case their worker is lost; null deletes it. */
export async function noteLoss(pool: Pool, held: readonly HeldJob[], message: string | null): Promise<void> {
  const values = [held.map(({ jobId }) => jobId), held.map(({ attempt }) => attempt), message];
  await pool.query({ name: 'note-loss', text: sql, values });
}
