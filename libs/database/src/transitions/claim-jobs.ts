import { SerializedJob, type Job } from '@offload/jobs';
import type { Backoff } from '@offload/jobs/definitions';
import type { Pool } from 'pg';
import { plainArray, textArray } from '../array-literal.ts';
import { hasStatus, isOneOf, placeOf } from '../by-id.ts';
import { columnsBut, jobColumns, toJob, type JobRow } from '../job-row.ts';
import { shareStatement } from '../share-statement.ts';
import { wantsNoWebhook, addWebhookDeliveries } from '../webhooks/add-webhook-deliveries.ts';
import { withError, workerLost } from './attempt-error.ts';

/** One arrival of a dispatch message at a worker. */
export interface Delivery {
  jobId: string;
  dispatchId: string;
  /** The broker has handed this dispatch message out before, and its former holder is gone. */
  redelivered: boolean;
  /** How often it has been handed out before: tells a late claim of a lost delivery from the one that came after it. */
  deliveryCount: number;
  /** A UUID of the caller's for this delivery: the same when it tries again, not knowing whether a claim was committed. */
  claimId: string;
  /** The worker's name. */
  holder: string;
}

/** The attempt is the caller's. */
export interface ClaimedJob {
  kind: 'claimed';
  /** `attempt` is the number of the attempt and its fence. */
  job: Job;
  /** The same, with the JSON of its payload as it was stored. */
  serialized: SerializedJob;
  /** The attempt before was lost with its worker. */
  takeover: boolean;
  /** The version of the job's type that took its payload. */
  typeVersion: number;
  /** Of this attempt. */
  timeoutMs: number;
  backoff: Backoff;
  /** Somebody is to be told of the job's end by webhook, as of now. */
  wantsWebhook: boolean;
}

export type Claim =
  | ClaimedJob
  /** An attempt was lost with its worker, and no other follows: the job is `failed`, or `cancelled` if that was asked. */
  | { kind: 'ended'; job: Job }
  /** Running, held by this very dispatch message through a delivery that is not known to be older: to be asked again later. */
  | { kind: 'held'; job: Job }
  /** Not the caller's to run: finished, not due yet, held by another dispatch message, or (`job` null) unknown. */
  | { kind: 'refused'; job: Job | null };

const claimed = `${columnsBut('payload')}, job.payload::text as "payloadText", job.claim_id as "claimId",
  job.type_version as "typeVersion", job.timeout_ms as "timeoutMs", job.backoff, not ${wantsNoWebhook('job')} as "wantsWebhook"`;

// Nearly all dispatch messages are new, and their jobs wait: that costs half as much as to see to whatever else a job may be.
const claimWaitingSql = `
  update jobs as job set
    status = 'running',
    attempt = job.attempt + 1,
    started_at = now(),
    finished_at = null,
    error = null,
    progress = null,
    holder = delivery.holder,
    held_at = now(),
    dispatch_id = delivery.dispatch_id,
    delivery_count = delivery.delivery_count,
    claim_id = delivery.claim_id,
    version = job.version + 1
  from (
    select * from unnest($1::uuid[], $2::uuid[], $3::int[], $4::uuid[], $5::text[])
      as delivery(job_id, dispatch_id, delivery_count, claim_id, holder)
    order by job_id offset 0
  ) as delivery cross join ${placeOf('delivery.job_id')}
  where job.ctid = place.ctid
    and (${hasStatus('job', 'queued')} or (${hasStatus('job', 'scheduled')} and job.due_at <= now()))
  returning ${claimed}, false as takeover, false as ended`;

// The guards of the state table, and two more. A row that carries the caller's own claim id is its own attempt already (the
// answer to its claim was lost), and goes on as that. And a takeover takes a later delivery than the one that holds the
// job: a claim may be under way for long, lose its delivery meanwhile, and arrive after that of the next holder.
//
// `for update` serialises with everybody else who wants the row, in one order so that two batches can't wait for each
// other; PostgreSQL checks the guards again on the row as it is after waiting. Of a dispatch message that came twice in a batch the
// later delivery counts; where two dispatch messages of one queued job meet, the update takes one. The claim id on the row says which.
const claimSql = `
  with delivery as materialized (
    select distinct on (job_id, dispatch_id) *
    from unnest($1::uuid[], $2::uuid[], $3::int[], $4::uuid[], $5::text[], $6::boolean[])
      as delivery(job_id, dispatch_id, delivery_count, claim_id, holder, redelivered)
    order by job_id, dispatch_id, delivery_count desc
  ), held as (
    select job.id, delivery.dispatch_id, delivery.delivery_count, delivery.claim_id, delivery.holder, job.attempt, job.max_attempts,
      job.cancel_requested, job.loss_note,
      job.status = 'running' as running, job.status = 'running' and job.claim_id = delivery.claim_id as resumed
    from delivery cross join lateral (
      select * from jobs as job where id = delivery.job_id and (
        ${hasStatus('job', 'queued')}
        or (${hasStatus('job', 'scheduled')} and due_at <= now())
        or (${hasStatus('job', 'running')} and claim_id = delivery.claim_id)
        or (${hasStatus('job', 'running')} and dispatch_id = delivery.dispatch_id
          and delivery.redelivered and delivery.delivery_count > job.delivery_count)
      ) for update
    ) as job
  ), target as (
    select id, dispatch_id, delivery_count, claim_id, holder, resumed, cancel_requested,
      running and not resumed as takeover,
      running and not resumed and (cancel_requested or attempt >= max_attempts) as ended,
      ${workerLost} as loss
    from held
  ), job as (
    update jobs as job set
      status = (case when not ended then 'running' when target.cancel_requested then 'cancelled' else 'failed' end)
        ::job_status,
      attempt = case when ended or resumed then attempt else attempt + 1 end,
      started_at = case when ended then started_at else now() end,
      finished_at = case when ended then now() end,
      error = case when ended and not target.cancel_requested then loss end,
      errors = case when takeover and (not ended or target.cancel_requested) then ${withError('errors', 'loss')} else errors end,
      progress = case when ended then progress end,
      holder = target.holder,
      held_at = now(),
      dispatch_id = target.dispatch_id,
      delivery_count = target.delivery_count,
      claim_id = target.claim_id,
      version = version + 1
    from target where job.id = target.id and ${isOneOf('job', 'target')}
    returning job.*, takeover, ended
  ), told as (
    ${addWebhookDeliveries}
  )
  select ${claimed}, takeover, ended from job`;

type ClaimedRow = Omit<JobRow, 'payload'> & {
  payloadText: string;
  claimId: string;
  typeVersion: number;
  timeoutMs: number;
  backoff: Backoff;
  wantsWebhook: boolean;
  takeover: boolean;
  ended: boolean;
};

/**
 * Claims one job by its delivery; concurrent claims share statements. A first delivery tries the cheap statement, which claims
 * what nothing stands in the way of. Both statements are shared apart: a fault of one rejects no caller of the other.
 */
export function shareClaims(pool: Pool): (delivery: Delivery) => Promise<Claim> {
  const claimWaiting = shareStatement((deliveries: Delivery[]) => claimWaitingJobs(pool, deliveries));
  const claimAny = shareStatement((deliveries: Delivery[]) => claimJobs(pool, deliveries));
  return async (delivery) => (delivery.redelivered ? null : await claimWaiting(delivery)) ?? claimAny(delivery);
}

/**
 * queued (or scheduled and due) → running, attempt + 1, where nothing stands in the way.
 *
 * @returns null where something may: then {@link claimJobs} knows what
 */
export async function claimWaitingJobs(pool: Pool, deliveries: Delivery[]): Promise<(Claim | null)[]> {
  const { rows } = await pool.query<ClaimedRow>({
    name: 'claim-waiting-jobs',
    text: claimWaitingSql,
    values: arraysOf(deliveries),
  });
  const claimed = byClaimId(rows);
  return deliveries.map(({ claimId }) => claimOf(claimed.get(claimId)));
}

/** queued (or scheduled and due) → running, attempt + 1; running → running, attempt + 1 when its holder is gone. */
export async function claimJobs(pool: Pool, deliveries: Delivery[]): Promise<Claim[]> {
  const { rows } = await pool.query<ClaimedRow>({
    name: 'claim-jobs',
    text: claimSql,
    values: [...arraysOf(deliveries), plainArray(deliveries.map((delivery) => delivery.redelivered))],
  });
  const claimed = byClaimId(rows);
  const refusedIds = deliveries.filter(({ claimId }) => !claimed.has(claimId)).map(({ jobId }) => jobId);
  const refused = refusedIds.length === 0 ? new Map<string, Holding>() : await readHoldings(pool, refusedIds);
  return deliveries.map(
    ({ jobId, dispatchId, claimId }) =>
      claimOf(claimed.get(claimId)) ?? refusalOf(refused.get(jobId.toLowerCase()), dispatchId),
  );
}

/** The first five parameters of both statements. */
function arraysOf(deliveries: Delivery[]): string[] {
  return [
    plainArray(deliveries.map((delivery) => delivery.jobId)),
    plainArray(deliveries.map((delivery) => delivery.dispatchId)),
    plainArray(deliveries.map((delivery) => delivery.deliveryCount)),
    plainArray(deliveries.map((delivery) => delivery.claimId)),
    textArray(deliveries.map((delivery) => delivery.holder)),
  ];
}

function byClaimId(rows: ClaimedRow[]): Map<string, ClaimedRow> {
  return new Map(rows.map((row) => [row.claimId, row]));
}

function claimOf(row: ClaimedRow | undefined): Claim | null {
  if (!row) return null;
  const { payloadText, ended, takeover, typeVersion, timeoutMs, backoff, wantsWebhook } = row;
  const job = toJob(Object.assign(row, { payload: JSON.parse(payloadText) as unknown }));
  if (ended) return { kind: 'ended', job };
  const serialized = new SerializedJob(job, payloadText);
  return { kind: 'claimed', job, serialized, takeover, typeVersion, timeoutMs, backoff, wantsWebhook };
}

interface Holding {
  job: Job;
  dispatchId: string | null;
}

function refusalOf(holding: Holding | undefined, dispatchId: string): Claim {
  if (!holding) return { kind: 'refused', job: null };
  const { job } = holding;
  return {
    kind: job.status === 'running' && holding.dispatchId === dispatchId.toLowerCase() ? 'held' : 'refused',
    job,
  };
}

async function readHoldings(pool: Pool, ids: string[]): Promise<Map<string, Holding>> {
  const { rows } = await pool.query<JobRow & { dispatchId: string | null }>(
    `select ${jobColumns}, job.dispatch_id as "dispatchId" from jobs as job where id = any($1::uuid[])`,
    [ids],
  );
  return new Map(rows.map((row) => [row.id, { job: toJob(row), dispatchId: row.dispatchId }]));
}
