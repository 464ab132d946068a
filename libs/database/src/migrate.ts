import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { unusableBecause } from './open-pool.ts';
import { isHeldUp, orUnavailable } from './unavailable.ts';

// What `prisma migrate deploy` does, without its CLI: the same table, checksums and advisory lock, so that both can be
// used on one database. https://www.prisma.io/docs/orm/prisma-migrate
const LOCK_ID = 72_707_369;
const TABLE = `create table _prisma_migrations (
  id varchar(36) primary key not null, checksum varchar(64) not null, finished_at timestamptz,
  migration_name varchar(255) not null, logs text, rolled_back_at timestamptz,
  started_at timestamptz not null default now(), applied_steps_count integer not null default 0)`;

const DIRECTORY = fileURLToPath(new URL('../prisma/migrations', import.meta.url));

/**
 * Creates the database when it is missing and applies the migrations it has not had yet.
 *
 * @returns the names of the migrations applied now
 * @throws when a migration fails, failed earlier, or was edited after it was applied, and UnusableDatabaseError
 */
export async function migrate(url: string): Promise<string[]> {
  await createDatabaseIfMissing(url);
  const client = newClient(url);
  // A transaction of its own holds the lock: behind a pooler, a lock of the session would outlive us.
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
    await Promise.allSettled([client.end(), lock.end()]); // gives the lock back too
  }
}

/** A lost connection fails the query under way; the event, unheard, would end the process. */
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
 * The schema that has the tables, or will have them: the first of the search path when the first migration was applied. Later
 * it may not be the first any more, since a migration makes a schema named `offload`, and a user of that name looks there first.
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
    // Without parameters: many statements in one implicit transaction.
    await orUnavailable(() => client.query(`set local search_path = ${schema}; ${sql}`));
  } catch (error) {
    if (isHeldUp(error)) {
      // Undone by the server, and tried again: it has not failed.
      await client.query('delete from _prisma_migrations where id = $1', [id]);
      throw error;
    }
    const { cause = error } = error as Error;
    await client.query('update _prisma_migrations set logs = $2 where id = $1', [id, String(cause)]);
    // Not the database's error: to try again would only say that it failed earlier.
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
    await probe.end().catch(() => undefined); // never connected: nothing to end
  }
  const server = new URL(url);
  const name = decodeURIComponent(server.pathname.slice(1));
  server.pathname = '/postgres';
  const admin = newClient(server.href);
  await admin.connect();
  try {
    // Where the server was set up with another encoding, any locale but C may not go with UTF8.
    const needsOwn = (await unusableBecause(admin)) !== null;
    const options = needsOwn ? ` encoding 'UTF8' locale 'C' template template0` : '';
    await admin.query(`create database ${pg.escapeIdentifier(name)}${options}`);
  } catch (error) {
    // duplicate_database, unique_violation: another process was first
    if (!['42P04', '23505'].includes((error as { code?: string }).code ?? '')) throw error;
  } finally {
    await admin.end();
  }
}
