import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { freshDatabaseUrl } from '@offload/spec-kit';
import { startPooler, type PoolMode, type TestPooler } from '@offload/spec-kit/servers';
import pg from 'pg';
import { idsFrom } from './ids-from.ts';
import { migrate } from './migrate.ts';
import { openDatabase, type Database } from './open-database.ts';

const policy = { maxAttempts: 3, timeoutMs: 1_000, backoff: { baseMs: 10, factor: 2, maxMs: 100 } };
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => void (await Promise.all(closers.splice(0).map((close) => close()))));

/** Another database of the server of the run. */
const sibling = (url: string, name: string): string => Object.assign(new URL(url), { pathname: `/${name}` }).href;
const nameOf = (url: string): string => new URL(url).pathname.slice(1);

async function run(url: string, sql: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await client.query(sql);
  } finally {
    await client.end();
  }
}

function open(url: string): Database {
  const database = openDatabase({ url });
  closers.push(() => database.close());
  return database;
}

/** Submits, runs, finishes and reads a job in every way in which rows are read. */
async function useAll(database: Database): Promise<void> {
  const before = Date.now();
  const id = idsFrom(before).slice(0, 15) + randomUUID().slice(15);
  const work = { id, type: 'demo.sleep', queue: 'default', priority: 0, tags: ['a"b\\c', 'ü🙂', id] };
  const made = { ...work, ...policy, payload: { text: 'ü🙂\\' }, delayMs: 0, runAt: null, dedupeKey: work.id };
  const idempotency = { client: 'spec', key: work.id, fingerprint: Buffer.from([0, 255]) };
  expect(await database.jobs.submit({ jobs: [made], idempotency })).toMatchObject({ kind: 'created' });
  const again = { jobs: [made], idempotency };
  expect(await database.jobs.submit(again)).toMatchObject({ kind: 'replayed', jobs: [{ id: work.id, made: true }] });
  const read = await database.jobs.get(work.id);
  expect(Math.abs(Date.parse(read?.createdAt as string) - before)).toBeLessThan(60_000);
  const createdAfter = new Date(before - 60_000);
  expect((await database.jobs.list({ limit: 1, tag: id, createdAfter })).jobs).toEqual([read]);

  const delivery = { jobId: work.id, dispatchId: randomUUID(), redelivered: false, deliveryCount: 0 };
  const claim = await database.jobs.claim({ ...delivery, claimId: randomUUID(), holder: 'spec' });
  expect(claim).toMatchObject({ kind: 'claimed', job: { payload: made.payload, tags: work.tags, attempt: 1 } });
  await database.jobs.reportProgress(work.id, 1, { percent: 50, message: null });
  const outcome = { status: 'succeeded', result: { text: 'ü🙂' } } as const;
  const settled = await database.jobs.settle({ jobId: work.id, attempt: 1, outcome });
  expect(await database.jobs.get(work.id)).toEqual(settled);
  const { at } = await database.queues.sample(['default'], null);
  expect(Math.abs(at * 1_000 - before)).toBeLessThan(60_000);
}

it('works as well with other settings of the database', async () => {
  const url = freshDatabaseUrl();
  await migrate(url);
  for (const setting of [
    `timezone = 'Asia/Kolkata'`,
    `datestyle = 'SQL, DMY'`,
    `client_encoding = 'LATIN1'`,
    `extra_float_digits = -15`,
    `array_nulls = off`,
    `default_transaction_isolation = 'serializable'`,
    `standard_conforming_strings = off`,
    `statement_timeout = 50`,
  ]) {
    await run(url, `alter database ${nameOf(url)} set ${setting}`);
    const database = open(url);
    await Promise.all([useAll(database), useAll(database)]); // serializable transactions would meet
    await run(`${url}?options=-c%20statement_timeout%3D0`, `alter database ${nameOf(url)} reset all`);
  }
});

describe('a database that can not be used', () => {
  it.each(['LATIN1', 'SQL_ASCII'])('is refused with the reason: its encoding is %s', async (encoding) => {
    const url = freshDatabaseUrl();
    const options = `encoding '${encoding}' locale 'C' locale_provider libc template template0`;
    await run(sibling(url, 'postgres'), `create database ${nameOf(url)} ${options}`);
    const reason = `has the encoding ${encoding} and needs UTF8`;
    await expect(migrate(url)).rejects.toThrow(reason);
    const database = open(url);
    await expect(database.ping()).rejects.toThrow(reason);
    await expect(database.jobs.get(randomUUID())).rejects.toMatchObject({ code: 'database-unavailable' });
    await expect(database.outbox.takeDue(1, 1)).rejects.toThrow(reason);
  });

  it('is told at once to a listener', async () => {
    const url = freshDatabaseUrl();
    await run(
      sibling(url, 'postgres'),
      `create database ${nameOf(url)} encoding 'LATIN1' locale 'C' locale_provider libc template template0`,
    );
    const told = await new Promise<Error>((onUnusable) => {
      const database = openDatabase({ url, onUnusable });
      closers.push(() => database.close());
    });
    expect(told.message).toContain('needs UTF8');
  });
});

describe('a database in which no job can be stored now', () => {
  it('is not ready: read-only, without tables, without rights', async () => {
    const url = freshDatabaseUrl();
    const notMigrated = sibling(url, 'postgres');
    await expect(open(notMigrated).ping()).rejects.toThrow('it has no tables: run the migrations');

    await migrate(url);
    await expect(open(`${url}?options=-c%20default_transaction_read_only%3Don`).ping()).rejects.toThrow(
      'it is read-only',
    );

    const role = `reader_${randomUUID().slice(0, 8)}`;
    await run(url, `create role ${role} login password 'spec'; grant select on all tables in schema public to ${role}`);
    const reader = Object.assign(new URL(url), { username: role, password: 'spec' }).href;
    await expect(open(reader).ping()).rejects.toThrow('its user may not write');
    await open(url).ping();
  });

  it('is not ready: behind a pooler in statement mode', async () => {
    const url = freshDatabaseUrl();
    await migrate(url);
    const pooler = await startPooler(url, 'statement');
    closers.push(() => pooler.remove());
    await expect(open(pooler.url).ping()).rejects.toThrow(/allows no transactions: set its pool_mode/);
  });
});

describe.each<PoolMode>(['transaction', 'session'])('through a pooler in %s mode', (mode) => {
  const url = freshDatabaseUrl();
  let pooler: TestPooler;
  beforeAll(async () => {
    await migrate(url);
    pooler = await startPooler(url, mode);
  });
  afterAll(() => pooler?.remove());

  it('everything works, with one connection to the server shared by many', async () => {
    await run(url, `alter database ${nameOf(url)} set datestyle = 'SQL, DMY'`);
    const databases = [open(pooler.url), open(pooler.url)];
    await Promise.all(databases.flatMap((database) => Array.from({ length: 8 }, () => useAll(database))));
    await Promise.all(databases.map((database) => database.ping()));
  });

  it('no session is changed for others', async () => {
    const fresh = (await run(url, 'select name, setting from pg_settings order by name')).rows;
    const database = open(pooler.url);
    await Promise.all(Array.from({ length: 8 }, () => useAll(database)));
    const seen = Array.from({ length: 20 }, async () => {
      const { rows } = await run(pooler.url, 'select name, setting from pg_settings order by name');
      return rows.filter(({ name }) => !/^(application_name|client_encoding)$/.test(name));
    });
    const expected = fresh.filter(({ name }) => !/^(application_name|client_encoding)$/.test(name));
    for (const rows of await Promise.all(seen)) expect(rows).toEqual(expected);
    expect((await run(pooler.url, 'select name from pg_prepared_statements')).rows).toEqual([]);
  });

  it('a statement that fails is told, and leaves the next ones alone', async () => {
    const database = open(pooler.url);
    await expect(database.outbox.takeDue(-1, 1)).rejects.toMatchObject({ code: '2201W' });
    await expect(database.outbox.takeDue(1, 1)).resolves.toEqual(expect.anything());
    await useAll(database);
  });

  it('migrations of several processes at once run once', async () => {
    const another = freshDatabaseUrl();
    await run(sibling(url, 'postgres'), `create database ${nameOf(another)}`);
    const through = sibling(pooler.url, nameOf(another));
    const applied = await Promise.all([migrate(through), migrate(through), migrate(through)]);
    expect(applied.filter((names) => names.length > 0)).toHaveLength(1);
    await useAll(open(through));
  });
});
