import { SerializedJob, type Job } from '@offload/jobs';
import type { Backoff } from '@offload/jobs/definitions';
import type { Webhook } from '@offload/jobs/webhooks';
import type { Pool } from 'pg';
import { plainArray, textArray } from '../array-literal.ts';
import { briefColumns, toBriefJob, type BriefRow } from '../job-row.ts';
import { findKept, type IdempotencyKey, type KeptKey, type NewKey } from './idempotency-keys.ts';

/** A job to be; everything has been checked. */
export interface NewJob {
  id: string;
  type: string;
  /** The version of the type that took the payload. @default 1 */
  typeVersion?: number;
  queue: string;
  priority: number;
  tags: string[];
  payload: unknown;
  maxAttempts: number;
  timeoutMs: number;
  backoff: Backoff;
  /** Milliseconds from now until it is due, by the database's clock; ignored when `runAt` is given. */
  delayMs: number;
  /** RFC 3339. */
  runAt: string | null;
  /** While a job of this type with this key is not finished, that one is taken instead. @default null */
  dedupeKey?: string | null;
  /** W3C trace context, for its dispatch messages. @default null */
  traceparent?: string | null;
  /** Where its end is to be told. @default null */
  webhook?: Webhook | null;
}

/** What one request asks for: all of it is made, or nothing. */
export interface Submission<Wanted = NewJob> {
  jobs: Wanted[];
  /** Made once for each client and key, while the key is kept. */
  idempotency: IdempotencyKey | null;
}

/** A job to be, and its payload as it is stored. */
export interface WrittenJob {
  wanted: NewJob;
  payload: string;
}

export interface CreatedJob {
  /** One that was there already is brief: what it leaves out may be megabytes. */
  serialized: SerializedJob;
  /** The outbox row of the dispatch it is pending; null where the job was there already, by its dedupe key. */
  outboxId: string | null;
}

export type Submitted = { kind: 'created'; jobs: CreatedJob[] } | KeptKey;

/** Writes the payloads of a submission as JSON: once, for the row, the event and the answer. */
export function written({ jobs, idempotency }: Submission): Submission<WrittenJob> {
  return { jobs: jobs.map((wanted) => ({ wanted, payload: JSON.stringify(wanted.payload) })), idempotency };
}

/** Others may create the same at the same time; once they have, it is seen. */
const MOST_TRIES = 5;
const raced = new Set(['idempotency_keys_pkey', 'jobs_dedupe_idx']);

/**
 * create → queued, or scheduled when due in the future: jobs, the dispatch messages they are pending and the idempotency keys in one
 * statement. Concurrent ones with the same keys, of other processes too, are kept apart by unique indexes.
 *
 * @param dispatchGraceMs how long the creator has for dispatching a due job itself before any relay does
 */
export async function createJobs(
  pool: Pool,
  submissions: Submission<WrittenJob>[],
  dispatchGraceMs: number,
): Promise<Submitted[]> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await tryToCreate(pool, submissions, dispatchGraceMs);
    } catch (error) {
      const { code, constraint } = error as { code?: string; constraint?: string };
      if (code !== '23505' || !raced.has(constraint ?? '') || tries === MOST_TRIES) throw error;
    }
  }
}

async function tryToCreate(
  pool: Pool,
  submissions: Submission<WrittenJob>[],
  dispatchGraceMs: number,
): Promise<Submitted[]> {
  const kept = await findKept(pool, submissions);
  const wanted = submissions.filter((submission) => !kept.has(submission));
  const unfinished = await findUnfinished(pool, wanted);
  const { made, becomes } = withoutTwins(wanted, unfinished);
  const created = await insert(pool, made, keyRows(wanted, becomes), dispatchGraceMs);
  const known = new Map<string, CreatedJob>();
  for (const job of unfinished.values()) known.set(job.id, { serialized: new SerializedJob(job), outboxId: null });

  return submissions.map((submission): Submitted => {
    const earlier = kept.get(submission);
    if (earlier) return earlier;
    const jobs = submission.jobs.map((job): CreatedJob => {
      const id = becomes.get(job) as string;
      const there = (created.get(id) ?? known.get(id)) as CreatedJob;
      return id === idOf(job) ? there : { ...there, outboxId: null };
    });
    return { kind: 'created', jobs };
  });
}

/** As PostgreSQL prints it. */
const idOf = ({ wanted }: WrittenJob): string => wanted.id.toLowerCase();

const dedupeKeyOf = ({ type, dedupeKey }: Pick<NewJob, 'type' | 'dedupeKey'>): string | null =>
  typeof dedupeKey === 'string' ? JSON.stringify([type, dedupeKey]) : null;

/** Which jobs there are to make, and of each that is wanted the id of the job that there will be. */
function withoutTwins(
  wanted: Submission<WrittenJob>[],
  unfinished: Map<string, Job>,
): { made: WrittenJob[]; becomes: Map<WrittenJob, string> } {
  const taken = new Map([...unfinished].map(([key, { id }]) => [key, id]));
  const made: WrittenJob[] = [];
  const becomes = new Map<WrittenJob, string>();
  for (const job of wanted.flatMap(({ jobs }) => jobs)) {
    const key = dedupeKeyOf(job.wanted);
    const twin = key === null ? undefined : taken.get(key);
    becomes.set(job, twin ?? idOf(job));
    if (twin !== undefined) continue;
    made.push(job);
    if (key !== null) taken.set(key, idOf(job));
  }
  // In one order everywhere, so that two processes can't wait for each other's keys.
  made.sort((a, b) => compare(dedupeKeyOf(a.wanted) ?? '', dedupeKeyOf(b.wanted) ?? ''));
  return { made, becomes };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const unfinishedSql = `
  select ${briefColumns}, job.dedupe_key as "dedupeKey" from jobs as job
  join (select distinct * from unnest($1::text[], $2::text[]) as wanted(type, dedupe_key)) as wanted
    on job.type = wanted.type and job.dedupe_key = wanted.dedupe_key
  where job.status in ('scheduled', 'queued', 'running') and job.dedupe_key is not null`;

/** The unfinished jobs that stand in the way of these, by {@link dedupeKeyOf}. */
async function findUnfinished(pool: Pool, submissions: Submission<WrittenJob>[]): Promise<Map<string, Job>> {
  const wanted = submissions.flatMap(({ jobs }) => jobs.map((job) => job.wanted));
  const keyed = wanted.filter((job) => dedupeKeyOf(job) !== null);
  if (keyed.length === 0) return new Map();
  const { rows } = await pool.query<BriefRow & { dedupeKey: string }>({
    name: 'find-unfinished',
    text: unfinishedSql,
    values: [keyed.map(({ type }) => type), keyed.map(({ dedupeKey }) => dedupeKey)],
  });
  return new Map(rows.map((row) => [dedupeKeyOf(row) as string, toBriefJob(row)]));
}

function keyRows(submissions: Submission<WrittenJob>[], becomes: Map<WrittenJob, string>): NewKey[] {
  const rows = submissions.flatMap(({ idempotency, jobs }) => {
    if (!idempotency) return [];
    const ids = jobs.map((job) => ({ id: becomes.get(job) as string, made: becomes.get(job) === idOf(job) }));
    return [{ ...idempotency, jobs: ids }];
  });
  return rows.sort((a, b) => compare(a.client, b.client) || compare(a.key, b.key));
}

// A due job's outbox row becomes the relay's business only after a grace, in which the creator dispatches by itself.
const insertSql = `
  with input as (
    select *, coalesce(run_at, now() + delay_ms * interval '1 millisecond') as due_at
    from unnest($1::uuid[], $2::text[], $3::text[], $4::smallint[], $5::jsonb[], $6::json[], $7::int[], $8::int[],
      $9::jsonb[], $10::float8[], $11::timestamptz[], $12::text[], $13::text[], $14::jsonb[], $20::int[])
      as input(id, type, queue, priority, tags, payload, max_attempts, timeout_ms, backoff, delay_ms, run_at, dedupe_key,
        traceparent, webhook, type_version)
  ), job as (
    insert into jobs (id, type, queue, status, priority, tags, payload, max_attempts, timeout_ms, backoff, due_at,
      dedupe_key, traceparent, webhook, type_version)
    select id, type, queue, (case when due_at > now() then 'scheduled' else 'queued' end)::job_status, priority,
      array(select jsonb_array_elements_text(tags)), payload, max_attempts, timeout_ms, backoff, due_at, dedupe_key,
      traceparent, webhook, type_version
    from input
    returning *
  ), pending as (
    insert into outbox (job_id, due_at)
    select id, case status when 'queued' then now() + $15 * interval '1 millisecond' else due_at end from job
    returning id, job_id
  ), kept as (
    insert into idempotency_keys (client, key, fingerprint, job_ids, made)
    select client, key, fingerprint, array(select (value->>'id')::uuid from jsonb_array_elements(jobs)),
      array(select (value->>'made')::boolean from jsonb_array_elements(jobs))
    from unnest($16::text[], $17::text[], $18::bytea[], $19::jsonb[]) as input(client, key, fingerprint, jobs)
  )
  select job.id, job.status, job.created_at as "createdAt", job.due_at as "dueAt", pending.id as "outboxId"
  from job join pending on pending.job_id = job.id`;

/** What only the database knows of a new job. */
type MadeRow = Pick<Job, 'id' | 'status' | 'createdAt' | 'dueAt'>;

/** The job as it is when it has just been made. */
export function jobAsMade(wanted: NewJob, made: MadeRow): Job {
  const { type, queue, priority, tags, payload, maxAttempts } = wanted;
  return {
    id: made.id,
    type,
    queue,
    status: made.status,
    priority,
    tags,
    payload,
    result: null,
    error: null,
    errors: [],
    progress: null,
    attempt: 0,
    maxAttempts,
    version: 1,
    createdAt: made.createdAt,
    dueAt: made.dueAt,
    startedAt: null,
    finishedAt: null,
    durationMs: null,
  };
}

/** @returns the jobs by their ids */
async function insert(
  pool: Pool,
  made: WrittenJob[],
  keys: NewKey[],
  dispatchGraceMs: number,
): Promise<Map<string, CreatedJob>> {
  if (made.length + keys.length === 0) return new Map();
  const jobs = made.map(({ wanted }) => wanted);
  const { rows } = await pool.query<MadeRow & { outboxId: string }>({
    name: 'create-jobs',
    text: insertSql,
    values: [
      plainArray(jobs.map((job) => job.id)),
      textArray(jobs.map((job) => job.type)),
      textArray(jobs.map((job) => job.queue)),
      plainArray(jobs.map((job) => job.priority)),
      textArray(jobs.map(({ tags }) => (tags.length === 0 ? '[]' : JSON.stringify(tags)))),
      textArray(made.map(({ payload }) => payload)),
      plainArray(jobs.map((job) => job.maxAttempts)),
      plainArray(jobs.map((job) => job.timeoutMs)),
      textArray(jobs.map((job) => JSON.stringify(job.backoff))),
      plainArray(jobs.map((job) => job.delayMs)),
      textArray(jobs.map((job) => job.runAt)),
      textArray(jobs.map((job) => job.dedupeKey ?? null)),
      textArray(jobs.map((job) => job.traceparent ?? null)),
      textArray(jobs.map(({ webhook }) => (webhook ? withHost(webhook) : null))),
      dispatchGraceMs,
      textArray(keys.map(({ client }) => client)),
      textArray(keys.map(({ key }) => key)),
      keys.map(({ fingerprint }) => fingerprint),
      textArray(keys.map((row) => JSON.stringify(row.jobs))),
      plainArray(jobs.map((job) => job.typeVersion ?? 1)),
    ],
  });
  const byId = new Map(made.map((job) => [idOf(job), job]));
  return new Map(
    rows.map((row) => {
      const { wanted, payload } = byId.get(row.id) as WrittenJob;
      return [row.id, { serialized: new SerializedJob(jobAsMade(wanted, row), payload), outboxId: row.outboxId }];
    }),
  );
}

function withHost(webhook: Webhook): string {
  return JSON.stringify({ ...webhook, host: new URL(webhook.url).host });
}
