import type { Job, JobError } from '@offload/jobs';
import type { Pool } from 'pg';
import { hasStatus, isOneOf, placeOf } from '../by-id.ts';
import { plainArray, textArray } from '../array-literal.ts';
import { columnsBut, toJob, type JobRow } from '../job-row.ts';
import { shareStatement, STATEMENT_LENGTH } from '../share-statement.ts';
import { wantsNoWebhook, addWebhookDeliveries } from '../webhooks/add-webhook-deliveries.ts';
import type { ClaimedJob } from './claim-jobs.ts';
import { jsonNow, withError } from './attempt-error.ts';

/** Why an attempt failed. The database adds the time by its own clock. */
export type AttemptError = Omit<JobError, 'at'>;

/** The handler has returned a result. */
export interface SucceededOutcome {
  status: 'succeeded';
  result: unknown;
  /** The result as JSON. @default serialized when it is stored */
  json?: string;
}

/** How an attempt ended. */
export type Outcome =
  | SucceededOutcome
  | { status: 'failed'; error: AttemptError; deliveryLost?: boolean }
  /**
   * The job runs again after `delayMs` milliseconds. Without an error this is a snooze: the attempt is not used up.
   *
   * `deliveryLost`, here and above: the broker took the delivery back while the connection stayed open. The job is then
   * `queued` instead, until that has happened {@link LOSSES_THAT_COUNT} times in a row.
   */
  | { status: 'scheduled'; error: AttemptError | null; delayMs: number; deliveryLost?: boolean }
  /**
   * A stopping worker gives the job back: the attempt is not used up, and the dispatch message returns to the queue.
   */
  | { status: 'queued' }
  | { status: 'cancelled' };

/** The outcome of one attempt. */
export interface Settlement {
  jobId: string;
  /** The fence: only the attempt of the latest claim may write. */
  attempt: number;
  outcome: Outcome;
  /** The answer to the claim. With it, the large members that do not change are not read again. */
  claimed?: ClaimedJob;
}

/**
 * One or two losses are an accident, such as a deleted queue or a fault on the same channel. A job that takes longer
 * than the broker's consumer_timeout loses its delivery every time, and would run for ever.
 */
const LOSSES_THAT_COUNT = 3;

/**
 * The dispatch message of a given-back job returns to its queue by itself. If it is lost, the relay dispatches after
 * this time.
 */
const GIVEN_BACK_GRACE_MS = 5_000;

/** SQL: the progress of a job that has succeeded; null if it reported no progress. */
const complete = `job.progress || '{"percent": 100}'`;

// Nearly all jobs succeed without a webhook. For them this statement costs half as much as the general one.
const succeedSql = `
  update jobs as job set status = 'succeeded', result = outcome.result, finished_at = now(), version = job.version + 1,
    progress = ${complete}
  from (
    select * from unnest($1::uuid[], $2::int[], $3::json[]) as outcome(id, attempt, result) order by id offset 0
  ) as outcome cross join ${placeOf('outcome.id')}
  where job.ctid = place.ctid and job.attempt = outcome.attempt and ${hasStatus('job', 'running')}
    and ${wantsNoWebhook('job')}
  returning job.id, job.attempt, job.version, job.progress, job.finished_at as "finishedAt"`;

// An attempt that is not used up raises max_attempts and never lowers attempt, because a fence must only grow. If a
// cancellation was requested, only success counts. Rows are locked in the order of claims.
const sql = `
  with input as materialized (
    select * from unnest($1::uuid[], $2::int[], $3::job_status[], $4::json[], $5::jsonb[], $6::float8[], $8::boolean[], $9::boolean[])
      as input(id, attempt, status, result, error, delay_ms, known, lost)
    order by id
  ), held as (
    select job.id, input.result, input.delay_ms, input.known, input.lost,
      case when not forgiven then input.error || jsonb_build_object('at', ${jsonNow}) end as error,
      case when job.cancel_requested and input.status <> 'succeeded' then 'cancelled' when forgiven then 'queued'
        else input.status end as status
    from input cross join lateral (
      select id, cancel_requested, input.lost and lost_deliveries + 1 < ${LOSSES_THAT_COUNT} as forgiven from jobs
      where id = input.id and attempt = input.attempt and ${hasStatus('jobs', 'running')} for update
    ) as job
  ), job as (
    update jobs as job set
      status = held.status,
      result = held.result,
      error = case held.status when 'failed' then held.error end,
      errors = case when held.status <> 'failed' and held.error is not null then ${withError('job.errors', 'held.error')}
        else job.errors end,
      max_attempts = case when held.status in ('scheduled', 'queued') and held.error is null
        then job.max_attempts + 1 else job.max_attempts end,
      due_at = case held.status when 'scheduled'
        then now() + held.delay_ms * interval '1 millisecond' else job.due_at end,
      progress = case held.status when 'succeeded' then ${complete} else job.progress end,
      finished_at = case when held.status in ('succeeded', 'failed', 'cancelled') then now() end,
      lost_deliveries = case when held.lost then job.lost_deliveries + 1
        when held.status = 'queued' then job.lost_deliveries else 0 end,
      version = job.version + 1
    from held where job.id = held.id and ${isOneOf('job', 'held')}
    returning job.*, held.known
  ), pending as (
    insert into outbox (job_id, due_at)
    select id, case status when 'scheduled' then due_at else now() + $7 * interval '1 millisecond' end
    from job where status in ('scheduled', 'queued')
  ), told as (
    ${addWebhookDeliveries}
  )
  select ${columnsBut('payload', 'result')}, case when not known then payload end as payload,
    case when not known then result end as result
  from job`;

/**
 * Makes a function that stores how one attempt ended. Concurrent calls share statements.
 *
 * A success without a webhook tries the cheap statement. Both statements batch separately: a failure of one never
 * rejects callers of the other.
 */
export function shareSettlements(pool: Pool): (settlement: Settlement) => Promise<Job | null> {
  const bySize = { maxSize: STATEMENT_LENGTH, sizeOf: resultLength };
  const succeed = shareStatement((successes: PlainSuccess[]) => succeedJobs(pool, successes), bySize);
  const settleAny = shareStatement((settlements: Settlement[]) => settleJobs(pool, settlements), bySize);
  return async (settlement) => (isPlainSuccess(settlement) ? await succeed(settlement) : null) ?? settleAny(settlement);
}

/** A success without a webhook, as of the claim. */
type PlainSuccess = Settlement & { outcome: SucceededOutcome; claimed: ClaimedJob };

function isPlainSuccess(settlement: Settlement): settlement is PlainSuccess {
  return settlement.outcome.status === 'succeeded' && settlement.claimed?.wantsWebhook === false;
}

/** @returns the length of the result's JSON in characters, if it is known */
function resultLength({ outcome }: Settlement): number {
  return outcome.status === 'succeeded' ? (outcome.json?.length ?? 0) : 0;
}

/**
 * running → succeeded.
 *
 * @returns null for a job in another state or with a webhook: then {@link settleJobs} decides
 */
async function succeedJobs(pool: Pool, settlements: PlainSuccess[]): Promise<(Job | null)[]> {
  const { rows } = await pool.query<SucceededRow>({
    name: 'succeed-jobs',
    text: succeedSql,
    values: [
      plainArray(settlements.map(({ jobId }) => jobId)),
      plainArray(settlements.map(({ attempt }) => attempt)),
      textArray(settlements.map(({ outcome }) => resultOf(outcome))),
    ],
  });
  const ended = byAttempt(rows);
  return settlements.map((settlement) => {
    const row = ended.get(attemptOf(settlement));
    const result = settlement.outcome.result ?? null;
    return row ? toJob({ ...settlement.claimed.job, ...row, status: 'succeeded', result }) : null;
  });
}

type SucceededRow = Pick<JobRow, 'id' | 'attempt' | 'version' | 'progress' | 'finishedAt'>;

/**
 * running → succeeded, failed, cancelled, scheduled (retry) or queued (given back), for the attempt that holds the job.
 *
 * @returns the job after the transition; null if the fence refused the write, because another attempt holds the job
 */
async function settleJobs(pool: Pool, settlements: Settlement[]): Promise<(Job | null)[]> {
  const { rows } = await pool.query<JobRow>({
    name: 'settle-jobs',
    text: sql,
    values: [
      plainArray(settlements.map(({ jobId }) => jobId)),
      plainArray(settlements.map(({ attempt }) => attempt)),
      plainArray(settlements.map(({ outcome }) => outcome.status)),
      textArray(settlements.map(({ outcome }) => resultOf(outcome))),
      textArray(settlements.map(({ outcome }) => errorOf(outcome))),
      plainArray(settlements.map(({ outcome }) => (outcome.status === 'scheduled' ? outcome.delayMs : 0))),
      GIVEN_BACK_GRACE_MS,
      plainArray(settlements.map(({ claimed }) => claimed !== undefined)),
      plainArray(settlements.map(({ outcome }) => 'deliveryLost' in outcome && outcome.deliveryLost === true)),
    ],
  });
  const settled = byAttempt(rows);
  return settlements.map((settlement) => {
    const { outcome, claimed } = settlement;
    const row = settled.get(attemptOf(settlement));
    if (!row) return null;
    const result = row.status === 'succeeded' && outcome.status === 'succeeded' ? (outcome.result ?? null) : null;
    return toJob(claimed ? { ...row, payload: claimed.job.payload, result } : row);
  });
}

/** Two attempts of one job may be in one batch: the row says which attempt it is. */
function byAttempt<Row extends Pick<JobRow, 'id' | 'attempt'>>(rows: Row[]): Map<string, Row> {
  return new Map(rows.map((row) => [`${row.id} ${row.attempt}`, row]));
}

function attemptOf({ jobId, attempt }: Settlement): string {
  return `${jobId.toLowerCase()} ${attempt}`;
}

function resultOf(outcome: Outcome): string | null {
  return outcome.status === 'succeeded'
    ? (outcome.json ?? (JSON.stringify(outcome.result) as string | undefined) ?? null)
    : null;
}

function errorOf(outcome: Outcome): string | null {
  return 'error' in outcome && outcome.error ? JSON.stringify(outcome.error) : null;
}
