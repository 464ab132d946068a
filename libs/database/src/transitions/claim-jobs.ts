import type { Backoff, Job } from '@offload/contracts';
import type { Pool } from 'pg';
import { jobColumns, toJob, type JobRow } from '../job-row.ts';

/** One arrival of a ring at a worker. */
export interface Delivery {
  jobId: string;
  ringId: string;
  /** The broker has handed this ring out before, and its former holder is gone. */
  redelivered: boolean;
  /** The caller has tried this claim before and doesn't know whether it was committed. @default false */
  triedBefore?: boolean;
}

export type Claim =
  /** The attempt is the caller's: `job.attempt` is its number and its fence. */
  | { kind: 'claimed'; job: Job; takeover: boolean; timeoutMs: number; backoff: Backoff }
  /** The job's last attempt was lost with its worker: it is `failed` now. */
  | { kind: 'exhausted'; job: Job }
  /** Not the caller's to run: finished, not due yet, held by a live attempt, or (`job` null) unknown. */
  | { kind: 'refused'; job: Job | null };

// The guards of the state table, and one for a claim whose answer was lost: a row held by the ring of a delivery that
// nobody had before is the caller's own attempt, and goes on as that. `for update` serialises with everybody else who wants the row, in one order so
// that two batches can't wait for each other; PostgreSQL checks the guards again on the row as it is after waiting. Where
// two rings of one queued job meet in a batch, the update takes one of them, and the ring id on the row says which.
const claimSql = `
  with delivery as (
    select * from unnest($1::uuid[], $2::uuid[], $3::boolean[], $4::boolean[])
      as delivery(job_id, ring_id, redelivered, tried_before)
  ), target as (
    select held.id, delivery.ring_id,
      held.status = 'running' and delivery.redelivered as takeover,
      held.status = 'running' and not delivery.redelivered as resumed,
      held.status = 'running' and delivery.redelivered and held.attempt >= held.max_attempts as exhausted,
      case held.status when 'running' then jsonb_build_object('code', 'worker-lost',
        'message', 'the worker that ran this attempt is gone', 'attempt', held.attempt,
        'at', to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) end as loss
    from jobs as held join delivery on delivery.job_id = held.id
    where held.status = 'queued'
      or (held.status = 'scheduled' and held.due_at <= now())
      or (held.status = 'running' and held.ring_id = delivery.ring_id
        and (delivery.redelivered or delivery.tried_before))
    order by held.id for update of held
  )
  update jobs as job set
    status = (case when exhausted then 'failed' else 'running' end)::job_status,
    attempt = case when exhausted or resumed then attempt else attempt + 1 end,
    started_at = case when exhausted then started_at else now() end,
    finished_at = case when exhausted then now() end,
    error = case when exhausted then loss end,
    errors = case when takeover and not exhausted then errors || loss else errors end,
    progress = case when exhausted then progress end,
    ring_id = target.ring_id,
    version = version + 1
  from target where job.id = target.id
  returning ${jobColumns}, job.ring_id as "ringId", job.timeout_ms as "timeoutMs", job.backoff, takeover,
    exhausted`;

type ClaimedRow = JobRow & {
  ringId: string;
  timeoutMs: number;
  backoff: Backoff;
  takeover: boolean;
  exhausted: boolean;
};

/** queued (or scheduled and due) → running, attempt + 1; running → running, attempt + 1 when its holder is gone. */
export async function claimJobs(pool: Pool, deliveries: Delivery[]): Promise<Claim[]> {
  const { rows } = await pool.query<ClaimedRow>({
    name: 'claim-jobs',
    text: claimSql,
    values: [
      deliveries.map((delivery) => delivery.jobId),
      deliveries.map((delivery) => delivery.ringId),
      deliveries.map((delivery) => delivery.redelivered),
      deliveries.map((delivery) => delivery.triedBefore ?? false),
    ],
  });
  const claimed = new Map(rows.map((row) => [`${row.id} ${row.ringId}`, row]));
  // One ring that came twice is the caller's once: as its last delivery, for only then is the one before lost.
  const lastOf = new Map(deliveries.map((delivery, index) => [keyOf(delivery), index]));
  const mine = deliveries.map((delivery, index) => {
    const key = keyOf(delivery);
    return lastOf.get(key) === index ? claimed.get(key) : undefined;
  });
  const refusedIds = deliveries.filter((_, index) => !mine[index]).map(({ jobId }) => jobId);
  const refused = refusedIds.length === 0 ? new Map<string, Job>() : await readJobs(pool, refusedIds);
  return deliveries.map(({ jobId }, index): Claim => {
    const row = mine[index];
    if (!row) return { kind: 'refused', job: refused.get(jobId.toLowerCase()) ?? null };
    if (row.exhausted) return { kind: 'exhausted', job: toJob(row) };
    const { takeover, timeoutMs, backoff } = row;
    return { kind: 'claimed', job: toJob(row), takeover, timeoutMs, backoff };
  });
}

/** As PostgreSQL writes UUIDs. */
function keyOf({ jobId, ringId }: Delivery): string {
  return `${jobId} ${ringId}`.toLowerCase();
}

async function readJobs(pool: Pool, ids: string[]): Promise<Map<string, Job>> {
  const { rows } = await pool.query<JobRow>(`select ${jobColumns} from jobs as job where id = any($1::uuid[])`, [ids]);
  return new Map(rows.map((row) => [row.id, toJob(row)]));
}
