import { sql, withClient } from '@offload/running-system';

/** A change of a job's status or attempt, as PostgreSQL recorded it. */
export interface Change {
  jobId: string;
  /** The earlier status; null when the job was made. */
  from: string | null;
  to: string;
  attempt: number;
  /** Milliseconds since 1970, by PostgreSQL's clock, which is this machine's. */
  at: number;
  dueAt: number;
}

/** The final row of a job. */
export interface JobRow {
  id: string;
  /** The job's number in its payload. */
  job: number;
  status: string;
  attempt: number;
  maxAttempts: number;
  /** Error codes of failed attempts. */
  errors: string[];
  /** Error code of a failed job. */
  error: string | null;
  /** Body of the answer that is the job's result. */
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

/** Installs a trigger with which PostgreSQL records the changes of all jobs from now on. */
export async function installAudit(url: string): Promise<void> {
  await withClient(url, (client) => client.query(installSql));
}

/** Reads the changes, oldest first. */
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

/** Reads the rows of all jobs. */
export function readJobs(url: string): Promise<JobRow[]> {
  return sql<JobRow>(
    url,
    `select id, ${jobNumber} as job, status, attempt,
       max_attempts as "maxAttempts", error->>'code' as error, result->>'body' as result,
       array(select jsonb_array_elements(errors)->>'code') as errors
     from jobs`,
  );
}

/** Numbers of the jobs whose dispatch messages wait in the broker. */
export async function dispatched(url: string): Promise<number[]> {
  const rows = await sql<{ job: number }>(
    url,
    `select ${jobNumber} as job from jobs
     where status = 'queued' and not exists (select from outbox where job_id = jobs.id)`,
  );
  return rows.map(({ job }) => job);
}

/** Number of jobs without a final status, and of pending dispatch messages. */
export async function unfinished(url: string): Promise<{ jobs: number; dispatches: number }> {
  const [row] = await sql<{ jobs: number; dispatches: number }>(
    url,
    `select (select count(*) from jobs where status not in ('succeeded', 'failed', 'cancelled'))::int as jobs,
       (select count(*) from outbox)::int as dispatches`,
  );
  return row ?? { jobs: NaN, dispatches: NaN };
}

/** Number of finished jobs. */
export async function finishedJobs(url: string): Promise<number> {
  const text = `select count(*)::int as jobs from jobs where status in ('succeeded', 'failed', 'cancelled')`;
  const [row] = await sql<{ jobs: number }>(url, text);
  return row?.jobs ?? NaN;
}
