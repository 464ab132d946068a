import type { Pool } from 'pg';

/** What a client calls one request, so that it is obeyed once however often it is sent. */
export interface IdempotencyKey {
  /** Keys of one client say nothing about another's. */
  client: string;
  key: string;
  /** Of what was asked for: the same for the same request. */
  fingerprint: Buffer;
}

/** An idempotency key and what it has led to. */
export interface NewKey extends IdempotencyKey {
  jobs: KeyedJob[];
}

export interface KeyedJob {
  id: string;
  /** By this request; otherwise it was there already, by its dedupe key. */
  made: boolean;
}

export type KeptKey =
  /** An earlier request with this key and the same fingerprint. */
  | { kind: 'replayed'; jobs: KeyedJob[]; createdAt: string }
  /** An earlier request with this key and another fingerprint. */
  | { kind: 'key-reused' };

const keptSql = `
  select wanted.index, kept.fingerprint = wanted.fingerprint as same, kept.job_ids as "jobIds", kept.made,
    kept.created_at as "createdAt"
  from unnest($1::int[], $2::text[], $3::text[], $4::bytea[]) as wanted(index, client, key, fingerprint)
  join idempotency_keys as kept on kept.client = wanted.client and kept.key = wanted.key`;

/** What the idempotency keys of these requests have led to before. */
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

/** Whether there was a request with this key. */
export async function isKeyKept(pool: Pool, client: string, key: string): Promise<boolean> {
  const text = 'select from idempotency_keys where client = $1 and key = $2';
  return ((await pool.query({ name: 'is-key-kept', text, values: [client, key] })).rowCount ?? 0) > 0;
}

/**
 * Deletes keys that are older than a day.
 *
 * @param limit most keys at once
 * @returns how many were deleted
 */
export async function pruneIdempotencyKeys(pool: Pool, limit: number): Promise<number> {
  const text = `
    delete from idempotency_keys where (client, key) in (
      select client, key from idempotency_keys where created_at < now() - interval '24 hours'
      order by created_at limit $1 for update skip locked
    )`;
  return (await pool.query({ name: 'prune-idempotency-keys', text, values: [limit] })).rowCount ?? 0;
}
