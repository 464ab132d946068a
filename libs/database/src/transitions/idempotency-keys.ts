import type { Pool } from 'pg';

/** Identifies a request of a client, so that it is carried out once however often the client sends it. */
export interface IdempotencyKey {
  /** The client's name. Equal keys of two clients are different requests. */
  client: string;
  key: string;
  /** A hash of the request: equal requests have equal fingerprints. */
  fingerprint: Buffer;
}

/** An idempotency key, and the jobs of its request. */
export interface NewKey extends IdempotencyKey {
  jobs: KeyedJob[];
}

/** A job of a request with an idempotency key. */
export interface KeyedJob {
  id: string;
  /** Whether this request created the job; otherwise its dedupe key found an existing job. */
  made: boolean;
}

/** An earlier request with the same idempotency key. */
export type KeptKey =
  /** It has the same fingerprint: these are its jobs. */
  | { kind: 'replayed'; jobs: KeyedJob[]; createdAt: string }
  /** It has another fingerprint: the client has used the key for another request. */
  | { kind: 'key-reused' };

const keptSql = `
  select wanted.index, kept.fingerprint = wanted.fingerprint as same, kept.job_ids as "jobIds", kept.made,
    kept.created_at as "createdAt"
  from unnest($1::int[], $2::text[], $3::text[], $4::bytea[]) as wanted(index, client, key, fingerprint)
  join idempotency_keys as kept on kept.client = wanted.client and kept.key = wanted.key`;

/** Finds the earlier requests with the idempotency keys of these requests. */
export async function findKept<Request extends { idempotency: IdempotencyKey | null }>(
  pool: Pool,
  requests: Request[],
): Promise<Map<Request, KeptKey>> {
  const keyed = requests.flatMap(({ idempotency }, index) => (idempotency ? [{ ...idempotency, index }] : []));
  if (keyed.length === 0) return new Map();
  const { rows } = await pool.query<{
    index: number;
    same: boolean;
    jobIds: string[];
    made: boolean[];
    createdAt: string;
  }>({
    name: 'find-idempotency-keys',
    text: keptSql,
    values: [
      keyed.map(({ index }) => index),
      keyed.map(({ client }) => client),
      keyed.map(({ key }) => key),
      keyed.map(({ fingerprint }) => fingerprint),
    ],
  });
  return new Map(
    rows.map(({ index, same, jobIds, made, createdAt }) => {
      const jobs = jobIds.map((id, place) => ({ id, made: made[place] === true }));
      return [requests[index] as Request, same ? { kind: 'replayed', jobs, createdAt } : { kind: 'key-reused' }];
    }),
  );
}

/** Whether an earlier request with this key is stored. */
export async function isKeyKept(pool: Pool, client: string, key: string): Promise<boolean> {
  const text = 'select from idempotency_keys where client = $1 and key = $2';
  return ((await pool.query({ name: 'is-key-kept', text, values: [client, key] })).rowCount ?? 0) > 0;
}

/**
 * Deletes keys that are older than a day.
 *
 * @param limit most keys of a call
 * @returns how many it deleted
 */
export async function pruneIdempotencyKeys(pool: Pool, limit: number): Promise<number> {
  const text = `
    delete from idempotency_keys where (client, key) in (
      select client, key from idempotency_keys where created_at < now() - interval '24 hours'
      order by created_at limit $1 for update skip locked
    )`;
  return (await pool.query({ name: 'prune-idempotency-keys', text, values: [limit] })).rowCount ?? 0;
}
