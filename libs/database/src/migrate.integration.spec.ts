import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually, freshDatabaseUrl } from '@offload/spec-kit';
import pg from 'pg';
import { migrate } from './migrate.ts';
import { DatabaseUnavailableError, orUnavailable } from './unavailable.ts';

const clients: pg.Client[] = [];
afterEach(async () => void (await Promise.all(clients.splice(0).map((client) => client.end()))));

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  clients.push(client);
  await client.connect();
  return client;
}

/** A migrated database. */
async function setup() {
  const url = freshDatabaseUrl();
  const applied = await migrate(url);
  const sql = await connect(url);
  const columns = async (): Promise<string[]> =>
    (
      await sql.query(`select table_name || '.' || column_name as name from information_schema.columns
        where table_schema = 'public' order by 1`)
    ).rows.map(({ name }) => name);
  return { url, applied, sql, columns };
}

describe('migrate', () => {
  it('creates the database that is missing and applies every migration, recorded as Prisma does', async () => {
    const { applied, sql, columns } = await setup();
    expect(applied).toContain('20261121000000_jobs_and_outbox');
    expect(await columns()).toEqual(expect.arrayContaining(['jobs.payload', 'outbox.due_at']));
    const { rows } = await sql.query('select * from _prisma_migrations order by migration_name');
    expect(rows.map((row) => row.migration_name)).toEqual(applied);
    for (const row of rows) {
      expect(row).toMatchObject({ applied_steps_count: 1, rolled_back_at: null, logs: null });
      expect(row.checksum).toMatch(/^[0-9a-f]{64}$/);
      expect(row.finished_at).toBeInstanceOf(Date);
    }
  });

  it('applies nothing a second time', async () => {
    const { url, columns } = await setup();
    const before = await columns();
    expect(await migrate(url)).toEqual([]);
    expect(await columns()).toEqual(before);
  });

  it('keeps to the schema of its tables, also where a schema named offload is looked into first', async () => {
    const url = new URL(freshDatabaseUrl());
    url.searchParams.set('options', '-c search_path=offload,public'); // as a user named offload has it
    const applied = await migrate(url.href);
    expect(applied).toContain('20261130220000_submit_from_sql');
    expect(await migrate(url.href)).toEqual([]);
    const sql = await connect(url.href);
    const { rows } = await sql.query(`select table_schema as schema from information_schema.tables
      where table_name in ('jobs', '_prisma_migrations')`);
    expect(rows).toEqual([{ schema: 'public' }, { schema: 'public' }]);
    await sql.query(`insert into job_types (type, version, description, queue, timeout_ms, max_attempts, backoff, upgrades,
      payload_schema, result_schema, fingerprint) values ('a', 1, '', 'default', 1, 1, '{}', false, '{}', '{}', '')`);
    expect((await sql.query(`select offload.submit('a', '{}')`)).rowCount).toBe(1);
  });

  it('lets callers come at once, even to a database that is missing: one applies, the others find it done', async () => {
    const url = freshDatabaseUrl();
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => migrate(url)));
    expect(outcomes.filter((applied) => applied.length > 0)).toHaveLength(1);
  });

  it('refuses a migration that was edited after it was applied', async () => {
    const { url, applied, sql } = await setup();
    await sql.query('update _prisma_migrations set checksum = $1 where migration_name = $2', [
      '0'.repeat(64),
      applied[0],
    ]);
    await expect(migrate(url)).rejects.toThrow(`migration ${applied[0]} was edited after it was applied`);
  });

  it('refuses to go on after a migration that failed', async () => {
    const { url, applied, sql } = await setup();
    await sql.query('update _prisma_migrations set finished_at = null where migration_name = $1', [applied[0]]);
    await expect(migrate(url)).rejects.toThrow(`migration ${applied[0]} failed earlier`);
  });

  it('records why a migration failed, and applies it once that is repaired and said so', async () => {
    const url = freshDatabaseUrl();
    const admin = await connect(Object.assign(new URL(url), { pathname: '/postgres' }).href);
    await admin.query(`create database ${new URL(url).pathname.slice(1)}`);
    const sql = await connect(url);
    await sql.query('create table jobs (in_the_way int)');
    await expect(migrate(url)).rejects.toThrow('relation "jobs" already exists');
    const { rows } = await sql.query('select logs, finished_at from _prisma_migrations');
    expect(rows).toEqual([{ logs: expect.stringContaining('relation "jobs" already exists'), finished_at: null }]);

    await sql.query('drop table jobs');
    await sql.query('update _prisma_migrations set rolled_back_at = now()'); // prisma migrate resolve --rolled-back
    expect(await migrate(url)).not.toEqual([]);
  });

  it('that waits too long for a lock is undone, and applied the next time', async () => {
    const { url, sql } = await setup();
    const altering = '20261130093000_loss_note';
    await sql.query('alter table jobs drop column loss_note');
    await sql.query('delete from _prisma_migrations where migration_name = $1', [altering]);
    await sql.query(`alter database ${new URL(url).pathname.slice(1)} set lock_timeout = '100ms'`);
    await sql.query('begin; lock table jobs in access share mode');
    await expect(orUnavailable(() => migrate(url))).rejects.toThrow(DatabaseUnavailableError);
    await sql.query('commit');
    expect(await migrate(url)).toEqual([altering]);
  });

  it('rejects, and harms nobody else, when its connection is cut', async () => {
    const { url, sql } = await setup();
    await sql.query('select pg_advisory_lock(72707369)'); // Prisma's: the next one has to wait
    const outcome = orUnavailable(() => migrate(url)).catch((error: unknown) => error);
    await eventually(async () => {
      const cut = await sql.query(`select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'
        and not granted and database = (select oid from pg_database where datname = current_database())`);
      expect(cut.rowCount).toBe(1);
    });
    expect(await outcome).toBeInstanceOf(DatabaseUnavailableError);
  });

  it('rejects when there is no server', async () => {
    await expect(orUnavailable(() => migrate('postgres://nobody@127.0.0.1:1/nothing'))).rejects.toThrow(
      DatabaseUnavailableError,
    );
  });
});
