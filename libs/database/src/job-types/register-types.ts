import { createHash } from 'node:crypto';
import { comparableText, schemaDifferences, type JobRegistration, type JsonSchema } from '@offload/jobs/definitions';
import type { Pool } from 'pg';

/** A worker process. */
export interface RunningWorker {
  /** The unique name of the process. */
  instance: string;
  /** The version of Offload. */
  version: string;
  /** The queues that it consumes. */
  queues: readonly string[];
  /** How many jobs of each queue it runs at once. */
  slots: number;
  /** The version of each job type that it runs. */
  types: Readonly<Record<string, number>>;
  /** Whether it is stopping and claims no more jobs. */
  draining: boolean;
}

/** A version of a job type that is registered with other schemas. */
export interface SchemaConflict {
  type: string;
  version: number;
  /** One sentence for each difference, with a JSON pointer that begins with `/payloadSchema` or `/resultSchema`. */
  differences: string[];
}

/** How types are registered. */
export interface RegisterOptions {
  /** Whether other schemas replace those of the same version, in development. @default false */
  replace?: boolean;
}

/** The result of a registration. */
export type Registered =
  | {
      kind: 'registered';
      /** Whether all types are new. */
      isNew: boolean;
      /** The schemas that were replaced, with their differences. */
      replaced: SchemaConflict[];
    }
  | { kind: 'conflict'; conflicts: SchemaConflict[] };

// Rows are written in one order, so that two workers can't deadlock. A worker that was killed leaves its row; this
// statement removes the row an hour later.
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

/** Another worker may register other schemas of the same version at the same moment. The next try sees its rows. */
const MOST_TRIES = 3;

/**
 * Registers types and their worker in one statement: everything, or nothing if one type has other schemas
 * that may not be replaced.
 *
 * @throws Error if other workers register other schemas during every try
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
    if (tries === MOST_TRIES) throw new Error('other workers keep registering these job types with other schemas');
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

/** SQL: notes when the types of the workers in `here` were last seen, once a minute. */
const seen = `own as (
    select key as type, value::int as version from here cross join jsonb_each_text(here.types)
  ), seen as (
    update job_types set last_seen_at = now() where (type, version) in (
      select job_types.type, job_types.version from job_types join own using (type, version)
      where last_seen_at < now() - interval '1 minute' for update of job_types skip locked
    )
  )`;

const hearSql = `
  with worker as (
    select * from json_to_record($1)
      as worker(instance text, version text, queues text[], slots int, types jsonb, draining boolean)
  ), here as (
    insert into workers (instance, version, queues, slots, types, draining)
    select instance, version, queues, slots, types, draining from worker
    on conflict (instance) do update set
      types = excluded.types, draining = workers.draining or excluded.draining, last_heard_at = now()
    returning types, draining
  ), ${seen}
  select here.draining,
    not exists (select from own left join job_types using (type, version) where fingerprint is null) as "areTypesThere"
  from here`;

const hearHolderSql = `
  with here as (
    update workers set last_heard_at = now() where instance = $1 returning types, draining
  ), ${seen}
  select draining from here`;

/** The answer to a worker that says that it runs. */
export interface Heard {
  /** Whether all of its types are registered. */
  areTypesThere: boolean;
  /** Whether it claims no new jobs, or must claim none. */
  draining: boolean;
}

/** Stores that the worker runs. */
export async function hearWorker(pool: Pool, worker: RunningWorker): Promise<Heard> {
  const { rows } = await pool.query<Heard>({
    name: 'hear-worker',
    text: hearSql,
    values: [JSON.stringify(worker)],
  });
  return rows[0] as Heard;
}

/**
 * The worker of this name is there, if it has registered: for one that says no more of itself.
 *
 * @returns whether it is to take no new jobs
 */
export async function hearHolder(pool: Pool, instance: string): Promise<boolean> {
  const { rows } = await pool.query<{ draining: boolean }>({
    name: 'hear-holder',
    text: hearHolderSql,
    values: [instance],
  });
  return rows[0]?.draining === true;
}

/** The worker is to take no new jobs; it hears so when it is heard next. @returns false where there is no such worker */
export async function drainWorker(pool: Pool, instance: string): Promise<boolean> {
  const { rowCount } = await pool.query({
    name: 'drain-worker',
    text: 'update workers set draining = true where instance = $1',
    values: [instance],
  });
  return rowCount === 1;
}

/** Removes a worker that has stopped. */
export async function leaveWorker(pool: Pool, instance: string): Promise<void> {
  await pool.query({ name: 'leave-worker', text: 'delete from workers where instance = $1', values: [instance] });
}
