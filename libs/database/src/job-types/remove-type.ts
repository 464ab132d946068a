import type { Pool } from 'pg';
import { isHeard } from './read-types.ts';

/** The result of removing a job type. */
export type Removal =
  | { kind: 'removed' }
  | { kind: 'unknown' }
  /** Workers run it, or unfinished jobs have it. */
  | { kind: 'in-use'; workers: string[] };

const removeSql = `
  with worker as (
    select instance from workers as worker where worker.types ? $1 and ${isHeard('worker')}
  ), removed as (
    delete from job_types where type = $1 and not exists (select from worker)
      and not exists (select from jobs where type = $1 and status in ('scheduled', 'queued', 'running'))
    returning type
  )
  select exists (select from removed) as removed, exists (select from job_types where type = $1) as known,
    array(select instance from worker order by instance) as workers`;

/** Removes all versions of a type that no worker runs and no unfinished job has. */
export async function removeType(pool: Pool, type: string): Promise<Removal> {
  const { rows } = await pool.query<{ removed: boolean; known: boolean; workers: string[] }>({
    name: 'remove-type',
    text: removeSql,
    values: [type],
  });
  const [{ removed, known, workers }] = rows as [(typeof rows)[0]];
  if (removed) return { kind: 'removed' };
  return known ? { kind: 'in-use', workers } : { kind: 'unknown' };
}
