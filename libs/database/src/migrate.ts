import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { unusableBecause } from './open-pool.ts';
import { isHeldUp, orUnavailable } from './unavailable.ts';

// Does what `prisma migrate deploy` does, without its CLI. Table, checksums and advisory lock are the same, so both can
// work on one database. https://www.prisma.io/docs/orm/prisma-migrate
const LOCK_ID = 72_707_369;
const TABLE = `create table _prisma_migrations (
  id varchar(36) primary key not null, checksum varchar(64) not null, finished_at timestamptz,
  migration_name varchar(255) not null, logs text, rolled_back_at timestamptz,
  started_at timestamptz not null default now(), applied_steps_count integer not null default 0)`;

const DIRECTORY = fileURLToPath(new URL('../prisma/migrations', import.meta.url));

/**
 * Creates the database if it is missing, and applies every migration that it does not have yet. Concurrent calls wait
 * for each other.
 *
 * @returns the names of the migrations that it applied
 * @throws Error when a migration fails, failed earlier, or was edited after it was applied
 * @throws UnusableDatabaseError when the database can never be used, such as with another encoding than UTF-8
 * @example
 * ```ts
 * const applied = await migrate('postgresql://user:password@127.0.0.1:5432/offload');
 * ```
 */
export async function migrate(url: string): Promise<string[]> {
  await createDatabaseIfMissing(url);
  const client = newClient(url);
  // A separate transaction holds the lock: behind a pooler, a lock of the session would outlive this process.
  const lock = newClient(url);
  try {
    await Promise.all([client.connect(), lock.connect()]);
    const reason = await unusableBecause(client);
    if (reason) throw reason;
    await lock.query(
      `begin; set local idle_in_transaction_session_timeout = 0; select pg_advisory_xact_lock(${LOCK_ID})`,
    );
    const schema = await schemaOfTables(client);
    const known = await knownMigrations(client);
    const applied: string[] = [];
    for (const name of await migrationNames()) {
      const sql = await readFile(join(DIRECTORY, name, 'migration.sql'));
      const checksum = createHash('sha256').update(sql).digest('hex');
      const before = known.get(name);
      if (before === undefined) {
        await apply(client, schema, name, sql.toString('utf8'), checksum);
        applied.push(name);
      } else if (before !== checksum) {
        throw new Error(`migration ${name} was edited after it was applied`);
      }
    }
    return applied;
  } finally {
    await Promise.allSettled([client.end(), lock.end()]); // this also releases the lock
  }
}

/** A lost connection rejects its query. It also emits an event, which would end the process without this listener. */
function newClient(url: string): pg.Client {
  return new pg.Client({ connectionString: url }).on('error', () => undefined);
}

async function migrationNames(): Promise<string[]> {
  const entries = await readdir(DIRECTORY, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

async function knownMigrations(client: pg.Client): Promise<Map<string, string>> {
  const { rows } = await client.query<{ migration_name: string; checksum: string; finished_at: Date | null }>(
    'select migration_name, checksum, finished_at from _prisma_migrations where rolled_back_at is null',
  );
  const failed = rows.find((row) => row.finished_at === null);
  if (failed) throw new Error(`migration ${failed.migration_name} failed earlier: docs/postgresql.md says what to do`);
  return new Map(rows.map((row) => [row.migration_name, row.checksum]));
}

/**
 * Finds the schema of the tables, or creates the first table. At the first migration, the schema is the first one of
 * the search path. Later it may be another: a migration makes a schema `offload`, which a user of that name searches
 * first.
 */
async function schemaOfTables(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ schema: string | null }>(
    `select relnamespace::regnamespace::text as schema from pg_class where oid = to_regclass('_prisma_migrations')`,
  );
  const schema = rows[0]?.schema;
  if (schema) return schema;
  await client.query(TABLE);
  return schemaOfTables(client);
}

async function apply(client: pg.Client, schema: string, name: string, sql: string, checksum: string): Promise<void> {
  const id = randomUUID();
  await client.query('insert into _prisma_migrations (id, checksum, migration_name) values ($1, $2, $3)', [
    id,
    checksum,
    name,
  ]);
  try {
    // A query without parameters runs all its statements in one implicit transaction.
    await orUnavailable(() => client.query(`set local search_path = ${schema}; ${sql}`));
  } catch (error) {
    if (isHeldUp(error)) {
      // The server has undone the migration, so it has not failed and the caller tries again.
      await client.query('delete from _prisma_migrations where id = $1', [id]);
      throw error;
    }
    const { cause = error } = error as Error;
    await client.query('update _prisma_migrations set logs = $2 where id = $1', [id, String(cause)]);
    // The error must not be retried: the next try would only report that the migration failed earlier.
    throw new Error(`migration ${name} failed: ${(cause as Error).message}`);
  }
  await client.query('update _prisma_migrations set finished_at = now(), applied_steps_count = 1 where id = $1', [id]);
}

async function createDatabaseIfMissing(url: string): Promise<void> {
  const probe = newClient(url);
  try {
    await probe.connect();
    return;
  } catch (error) {
    if ((error as { code?: string }).code !== '3D000') throw error; // invalid_catalog_name
  } finally {
    await probe.end().catch(() => undefined); // the connection was never open
  }
  const server = new URL(url);
  const name = decodeURIComponent(server.pathname.slice(1));
  server.pathname = '/postgres';
  const admin = newClient(server.href);
  await admin.connect();
  try {
    // If the server's own encoding is not UTF-8, only the locale C certainly fits UTF8.
    const needsOwn = (await unusableBecause(admin)) !== null;
    const options = needsOwn ? ` encoding 'UTF8' locale 'C' template template0` : '';
    await admin.query(`create database ${pg.escapeIdentifier(name)}${options}`);
  } catch (error) {
    // duplicate_database, unique_violation: another process has created the database
    if (!['42P04', '23505'].includes((error as { code?: string }).code ?? '')) throw error;
  } finally {
    await admin.end();
  }
}
