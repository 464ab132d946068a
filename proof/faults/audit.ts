import { sql, withClient } from '@offload/running-system';

/** One change of a job's status or attempt, as PostgreSQL saw it. */
export interface Change {
  jobId: string;
  /** null when the row was made */
  from: string | null;
  to: string;
  attempt: number;
  /** milliseconds since 1970, by PostgreSQL's clock, which is this machine's */
  at: number;
  dueAt: number;
}

/** A job's row, in the end. */
export interface JobRow {
  id: string;
  /** the job's number, out of its payload */
  job: number;
  status: string;
  attempt: number;
  maxAttempts: number;
  /** codes of what earlier attempts failed with */
  errors: string[];
  /** code of why it failed */
  error: string | null;
  /** body of the answer that is its result */
  result: string | null;
}

// In a schema of its own, so that the system's tables stay as its migrations made them.
const installSql = `
  create schema audit;
  create table audit.changes (id bigint generated always as identity, job_id uuid not null, from_status text,
    to_status text not null, attempt int not null, due_at timestamptz not null, at timestamptz not null);
  create function audit.keep() returns trigger language plpgsql as $$
  begin
    insert into audit.changes (job_id, from_status, to_status, attempt, due_at, at)
    values (new.id, case tg_op when 'UPDATE' then old.status::text end, new.status::text, new.attempt, new.due_at,
      clock_timestamp());
    return null;
  end $$;
  create trigger audit_created after insert on jobs for each row execute function audit.keep();
  create trigger audit_changed after update on jobs for each row
    when (old.status is distinct from new.status or old.attempt is distinct from new.attempt)
    execute function audit.keep();`;

/** From now on PostgreSQL itself records what becomes of every job. */
export async function installAudit(url: string): Promise<void> {
  await withClient(url, (client) => client.query(installSql));
}

/** Oldest first. */
export function readChanges(url: string): Promise<Change[]> {
  return sql<Change>(
    url,
    `select job_id as "jobId", from_status as "from", to_status as "to", attempt,
       (extract(epoch from at) * 1000)::float8 as at,
       (extract(epoch from due_at) * 1000)::float8 as "dueAt"
     from audit.changes order by id`,
  );
}

const jobNumber = `substring(payload->>'url' from '/([0-9]+)\\?')::int`;

export function readJobs(url: string): Promise<JobRow[]> {
  return sql<JobRow>(
    url,
    `select id, ${jobNumber} as job, status, attempt,
       max_attempts as "maxAttempts", error->>'code' as error, result->>'body' as result,
       array(select jsonb_array_elements(errors)->>'code') as errors
     from jobs`,
  );
}

/** The numbers of the jobs whose dispatch messages are with the broker, and wait there. */
export async function dispatched(url: string): Promise<number[]> {
  const rows = await sql<{ job: number }>(
    url,
    `select ${jobNumber} as job from jobs
     where status = 'queued' and not exists (select from outbox where job_id = jobs.id)`,
  );
  return rows.map(({ job }) => job);
}

/** How many jobs have not reached a terminal state yet, and how many dispatch messages are pending. */
export async function unfinished(url: string): Promise<{ jobs: number; dispatches: number }> {
  const [row] = await sql<{ jobs: number; dispatches: number }>(
    url,
    `select (select count(*) from jobs where status not in ('succeeded', 'failed', 'cancelled'))::int as jobs,
       (select count(*) from outbox)::int as dispatches`,
  );
  return row ?? { jobs: NaN, dispatches: NaN };
}

/** How many jobs are finished. */
export async function finishedJobs(url: string): Promise<number> {
  const text = `select count(*)::int as jobs from jobs where status in ('succeeded', 'failed', 'cancelled')`;
  const [row] = await sql<{ jobs: number }>(url, text);
  return row?.jobs ?? NaN;
}
