import type { Job, JobError } from '@offload/jobs';
import type { Pool } from 'pg';
import { hasStatus, isOneOf, placeOf } from '../by-id.ts';
import { plainArray, textArray } from '../array-literal.ts';
import { columnsBut, toJob, type JobRow } from '../job-row.ts';
import { shareStatement, STATEMENT_LENGTH } from '../share-statement.ts';
import { wantsNoWebhook, addWebhookDeliveries } from '../webhooks/add-webhook-deliveries.ts';
import type { ClaimedJob } from './claim-jobs.ts';
import { jsonNow, withError } from './attempt-error.ts';

/** Why an attempt failed; when is told by the database's clock. */
export type AttemptError = Omit<JobError, 'at'>;

/** The handler has returned. */
export interface SucceededOutcome {
  status: 'succeeded';
  result: unknown;
  /** The result as JSON. @default written when it is stored */
  json?: string;
}

/** How an attempt ended. */
export type Outcome =
  | SucceededOutcome
  | { status: 'failed'; error: AttemptError; deliveryLost?: boolean }
  /**
   * Again after `delayMs`. Without an error it is "not now": the attempt is not used up.
   *
   * `deliveryLost`, here and above: the broker took the delivery back while the connection stayed open. The job is
   * given back as `queued` instead, until that has happened {@link LOSSES_THAT_COUNT} times in a row.
   */
  | { status: 'scheduled'; error: AttemptError | null; delayMs: number; deliveryLost?: boolean }
  /** Given back by a worker that stops: the attempt is not used up, and its dispatch message goes back to the queue. */
  | { status: 'queued' }
  | { status: 'cancelled' };

export interface Settlement {
  jobId: string;
  /** The fence: only the attempt that was claimed last may write. */
  attempt: number;
  outcome: Outcome;
  /** What the claim was answered: what may be large and does not change is then not read again. */
  claimed?: ClaimedJob;
}

/**
 * Once or twice is an accident: a queue that was deleted, a neighbour on the channel. A job that takes longer than the
 * broker's consumer_timeout loses its delivery every time, and would run for ever.
 */
const LOSSES_THAT_COUNT = 3;

/** The dispatch message of a job that is given back returns to its queue by itself; should it have been lost, the relay dispatches then. */
const GIVEN_BACK_GRACE_MS = 5_000;

/** SQL: the progress of a job that has succeeded; none where none was told. */
const complete = `job.progress || '{"percent": 100}'`;

// Nearly all jobs succeed and nobody is pending a webhook: that costs half as much as to see to whatever else there may be.
const succeedSql = `
  update jobs as job set status = 'succeeded', result = outcome.result, finished_at = now(), version = job.version + 1,
    progress = ${complete}
  from (
    select * from unnest($1::uuid[], $2::int[], $3::json[]) as outcome(id, attempt, result) order by id offset 0
  ) as outcome cross join ${placeOf('outcome.id')}
  where job.ctid = place.ctid and job.attempt = outcome.attempt and ${hasStatus('job', 'running')}
    and ${wantsNoWebhook('job')}
  returning job.id, job.attempt, job.version, job.progress, job.finished_at as "finishedAt"`;

// An attempt that is not used up raises max_attempts instead of lowering attempt, which as a fence must only grow. Of a
// job that is to be cancelled nothing but success counts. Rows are locked in the order in which claims lock them.
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
 * Stores how one attempt ended; concurrent calls share statements. A success without a webhook tries the cheap statement. Both
 * statements are shared apart: a fault of one rejects no caller of the other.
 */
export function shareSettlements(pool: Pool): (settlement: Settlement) => Promise<Job | null> {
  const bySize = { maxSize: STATEMENT_LENGTH, sizeOf: resultLength };
  const succeed = shareStatement((successes: PlainSuccess[]) => succeedJobs(pool, successes), bySize);
  const settleAny = shareStatement((settlements: Settlement[]) => settleJobs(pool, settlements), bySize);
  return async (settlement) => (isPlainSuccess(settlement) ? await succeed(settlement) : null) ?? settleAny(settlement);
}

/** A success of which nobody is to be told by webhook, as of the claim. */
type PlainSuccess = Settlement & { outcome: SucceededOutcome; claimed: ClaimedJob };

function isPlainSuccess(settlement: Settlement): settlement is PlainSuccess {
  return settlement.outcome.status === 'succeeded' && settlement.claimed?.wantsWebhook === false;
}

/** @returns how long its result is, in characters, where that has been written */
function resultLength({ outcome }: Settlement): number {
  return outcome.status === 'succeeded' ? (outcome.json?.length ?? 0) : 0;
}

/**
 * running → succeeded, where nothing stands in the way.
 *
 * @returns null where something may: then {@link settleJobs} knows what
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
 * @returns the job after the transition, or null where the fence refused it: another attempt holds the job by now
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

/** Two attempts of one job may be in one batch: the row says which of them it was. */
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
