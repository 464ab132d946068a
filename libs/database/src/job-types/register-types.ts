import { createHash } from 'node:crypto';
import { comparableText, schemaDifferences, type JobRegistration, type JsonSchema } from '@offload/jobs/definitions';
import type { Pool } from 'pg';

/** A worker's process, as it is told. */
export interface RunningWorker {
  instance: string;
  /** Of Offload. */
  version: string;
  queues: readonly string[];
  /** Jobs that it runs at once, of each queue. */
  slots: number;
  /** The version of each job type that it runs. */
  types: Readonly<Record<string, number>>;
  /** It takes no new jobs. */
  draining: boolean;
}

/** A version that is registered with other schemas. */
export interface SchemaConflict {
  type: string;
  version: number;
  /** A sentence each, with a JSON pointer that begins with `/payloadSchema` or `/resultSchema`. */
  differences: string[];
}

export interface RegisterOptions {
  /** Other schemas replace those that are registered under the same version: for development. @default false */
  replace?: boolean;
}

export type Registered =
  | {
      kind: 'registered';
      /** Whether none of them was there before. */
      isNew: boolean;
      /** The conflicts that were ended by replacing schemas. */
      replaced: SchemaConflict[];
    }
  | { kind: 'conflict'; conflicts: SchemaConflict[] };

// Rows are written in one order, so that two workers can't wait for each other. A worker that was killed leaves its row, which
// is removed here an hour later.
const registerSql = `
  with given as (
    select * from json_to_recordset($1) as given(type text, version int, description text, queue text, "timeoutMs" int,
      "maxAttempts" int, backoff jsonb, upgrades boolean, "payloadSchema" json, "resultSchema" json, fingerprint text)
  ), conflict as (
    select old.type, old.version, old.payload_schema as "payloadSchema", old.result_schema as "resultSchema"
    from given join job_types as old on old.type = given.type and old.version = given.version
    where old.fingerprint <> given.fingerprint
  ), kept as (
    insert into job_types as old (type, version, description, queue, timeout_ms, max_attempts, backoff, upgrades,
      payload_schema, result_schema, fingerprint)
    select type, version, description, queue, "timeoutMs", "maxAttempts", backoff, upgrades, "payloadSchema", "resultSchema",
      fingerprint
    from given where $3 or not exists (select from conflict) order by type, version
    on conflict (type, version) do update set
      description = excluded.description, queue = excluded.queue, timeout_ms = excluded.timeout_ms,
      max_attempts = excluded.max_attempts, backoff = excluded.backoff, upgrades = excluded.upgrades,
      payload_schema = excluded.payload_schema, result_schema = excluded.result_schema,
      fingerprint = excluded.fingerprint, last_seen_at = now()
    where $3 or old.fingerprint = excluded.fingerprint
    returning (xmax = 0) as is_new
  ), worker as (
    select * from json_to_record($2)
      as worker(instance text, version text, queues text[], slots int, types jsonb, draining boolean)
    where instance is not null and (select count(*) from kept) = (select count(*) from given)
  ), here as (
    insert into workers (instance, version, queues, slots, types, draining)
    select instance, version, queues, slots, types, draining from worker
    on conflict (instance) do update set
      version = excluded.version, queues = excluded.queues, slots = excluded.slots, types = excluded.types,
      draining = excluded.draining, started_at = now(), last_heard_at = now()
  ), forgotten as (
    delete from workers where instance in (
      select instance from workers
      where last_heard_at < now() - interval '1 hour' and instance not in (select instance from worker)
      for update skip locked
    )
  )
  select (select count(*)::int from kept) as kept, (select coalesce(bool_and(is_new), false) from kept) as "isNew",
    coalesce((select json_agg(conflict) from conflict), '[]') as conflicts`;

type ConflictRow = Pick<JobRegistration, 'type' | 'version' | 'payloadSchema' | 'resultSchema'>;

/** A worker may register other schemas of a version at the same moment: once it has, they are seen. */
const MOST_TRIES = 3;

/**
 * Registers types and their worker in one statement: all of it, or nothing where one is registered with other schemas and these
 * are not to be replaced.
 */
export async function registerTypes(
  pool: Pool,
  types: readonly JobRegistration[],
  worker: RunningWorker | null,
  { replace = false }: RegisterOptions = {},
): Promise<Registered> {
  const rows = types.map((type) => ({ ...type, fingerprint: fingerprintOf(type) }));
  for (let tries = 1; ; tries += 1) {
    const { rows: answers } = await pool.query<{ kept: number; isNew: boolean; conflicts: ConflictRow[] }>({
      name: 'register-types',
      text: registerSql,
      values: [JSON.stringify(rows), JSON.stringify(worker ?? {}), replace],
    });
    const [{ kept, isNew, conflicts: found }] = answers as [(typeof answers)[0]];
    const conflicts = found.map((each) => conflictOf(each, types));
    if (conflicts.length > 0 && !replace) return { kind: 'conflict', conflicts };
    if (kept === types.length) return { kind: 'registered', isNew, replaced: conflicts };
    if (tries === MOST_TRIES) throw new Error('job types are registered with other schemas again and again');
  }
}

function fingerprintOf({ payloadSchema, resultSchema }: JobRegistration): string {
  return createHash('sha256').update(comparableText({ payloadSchema, resultSchema })).digest('hex');
}

function conflictOf(registered: ConflictRow, types: readonly JobRegistration[]): SchemaConflict {
  const { type, version } = registered;
  const offered = types.find((each) => each.type === type && each.version === version) as JobRegistration;
  const both = ({ payloadSchema, resultSchema }: Pick<ConflictRow, 'payloadSchema' | 'resultSchema'>): JsonSchema => ({
    payloadSchema,
    resultSchema,
  });
  return { type, version, differences: schemaDifferences(both(registered), both(offered)) };
}

const hearSql = `
  with worker as (
    select * from json_to_record($1)
      as worker(instance text, version text, queues text[], slots int, types jsonb, draining boolean)
  ), here as (
    insert into workers (instance, version, queues, slots, types, draining)
    select instance, version, queues, slots, types, draining from worker
    on conflict (instance) do update set types = excluded.types, draining = excluded.draining, last_heard_at = now()
  ), own as (
    select key as type, value::int as version from worker cross join jsonb_each_text(worker.types)
  ), seen as (
    update job_types set last_seen_at = now() where (type, version) in (
      select job_types.type, job_types.version from job_types join own using (type, version)
      where last_seen_at < now() - interval '1 minute' for update of job_types skip locked
    )
  )
  select not exists (select from own left join job_types using (type, version) where fingerprint is null) as "areThere"`;

/** The worker is there. @returns false where one of its types is not registered any more */
export async function hearWorker(pool: Pool, worker: RunningWorker): Promise<boolean> {
  const { rows } = await pool.query<{ areThere: boolean }>({
    name: 'hear-worker',
    text: hearSql,
    values: [JSON.stringify(worker)],
  });
  return rows[0]?.areThere === true;
}

/** The worker has ended. */
export async function leaveWorker(pool: Pool, instance: string): Promise<void> {
  await pool.query({ name: 'leave-worker', text: 'delete from workers where instance = $1', values: [instance] });
}
