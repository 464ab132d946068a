import type { Backoff, Job } from '@offload/contracts';
import type { Pool } from 'pg';
import { jobColumns, toJob, type JobRow } from '../job-row.ts';

/** One arrival of a ring at a worker. */
export interface Delivery {
  jobId: string;
  ringId: string;
  /** The broker has handed this ring out before, and its former holder is gone. */
  redelivered: boolean;
  /** A UUID of the caller's for this delivery: the same when it tries again, not knowing whether a claim was committed. */
  claimId: string;
}

export type Claim =
  /** The attempt is the caller's: `job.attempt` is its number and its fence. */
  | { kind: 'claimed'; job: Job; takeover: boolean; timeoutMs: number; backoff: Backoff }
  /** The job's last attempt was lost with its worker: it is `failed` now. */
  | { kind: 'exhausted'; job: Job }
  /** Not the caller's to run: finished, not due yet, held by a live attempt, or (`job` null) unknown. */
  | { kind: 'refused'; job: Job | null };

// The guards of the state table, and one for a claim whose answer was lost: a row that carries the caller's own claim id
// is its own attempt already, and goes on as that. `for update` serialises with everybody else who wants the row, in one
// order so that two batches can't wait for each other; PostgreSQL checks the guards again on the row as it is after
// waiting. Of a ring that came twice in a batch the last delivery counts, since only then is the one before lost; where
// two rings of one queued job meet, the update takes one. The claim id on the row says which.
const claimSql = `
  with delivery as (
    select distinct on (job_id, ring_id) *
    from unnest($1::uuid[], $2::uuid[], $3::boolean[], $4::uuid[]) with ordinality
      as delivery(job_id, ring_id, redelivered, claim_id, position)
    order by job_id, ring_id, position desc
  ), held as (
    select job.id, delivery.ring_id, delivery.claim_id, job.attempt, job.max_attempts,
      job.status = 'running' as running, job.status = 'running' and job.claim_id = delivery.claim_id as resumed
    from jobs as job join delivery on delivery.job_id = job.id
    where job.status = 'queued'
      or (job.status = 'scheduled' and job.due_at <= now())
      or (job.status = 'running' and job.claim_id = delivery.claim_id)
      or (job.status = 'running' and job.ring_id = delivery.ring_id and delivery.redelivered)
    order by job.id for update of job
  ), target as (
    select id, ring_id, claim_id, resumed, running and not resumed as takeover,
      running and not resumed and attempt >= max_attempts as exhausted,
      jsonb_build_object('code', 'worker-lost', 'message', 'the worker that ran this attempt is gone',
        'attempt', attempt, 'at', to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) as loss
    from held
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
    claim_id = target.claim_id,
    version = version + 1
  from target where job.id = target.id
  returning ${jobColumns}, job.claim_id as "claimId", job.timeout_ms as "timeoutMs", job.backoff, takeover, exhausted`;

type ClaimedRow = JobRow & {
  claimId: string;
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
      deliveries.map((delivery) => delivery.claimId),
    ],
  });
  const claimed = new Map(rows.map((row) => [row.claimId, row]));
  const refusedIds = deliveries.filter(({ claimId }) => !claimed.has(claimId)).map(({ jobId }) => jobId);
  const refused = refusedIds.length === 0 ? new Map<string, Job>() : await readJobs(pool, refusedIds);
  return deliveries.map(({ jobId, claimId }): Claim => {
    const row = claimed.get(claimId);
    if (!row) return { kind: 'refused', job: refused.get(jobId.toLowerCase()) ?? null };
    if (row.exhausted) return { kind: 'exhausted', job: toJob(row) };
    const { takeover, timeoutMs, backoff } = row;
    return { kind: 'claimed', job: toJob(row), takeover, timeoutMs, backoff };
  });
}

async function readJobs(pool: Pool, ids: string[]): Promise<Map<string, Job>> {
  const { rows } = await pool.query<JobRow>(`select ${jobColumns} from jobs as job where id = any($1::uuid[])`, [ids]);
  return new Map(rows.map((row) => [row.id, toJob(row)]));
}
