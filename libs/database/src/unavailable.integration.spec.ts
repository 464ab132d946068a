import { randomUUID } from 'node:crypto';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { eventually, freshDatabaseUrl } from '@offload/spec-kit';
import pg from 'pg';
import { migrate } from './migrate.ts';
import { openDatabase, type Database, type DatabaseOptions } from './open-database.ts';
import { DatabaseUnavailableError, orUnavailable } from './unavailable.ts';

const opened: { close(): Promise<unknown> }[] = [];
afterEach(async () => void (await Promise.all(opened.splice(0).map((each) => each.close()))));

function open(options: DatabaseOptions): Database {
  const database = openDatabase(options);
  opened.push(database);
  return database;
}

const url = freshDatabaseUrl();
beforeAll(() => migrate(url));

/** A database, somebody who can lock its tables, and somebody who can cut its connections. */
async function setup(options: Partial<DatabaseOptions> = {}) {
  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: url, application_name: 'spec' });
    await client.connect();
    opened.push({ close: () => client.end() });
    return client;
  };
  const [admin, locker] = [await connect(), await connect()];
  const others = `from pg_stat_activity where datname = current_database() and application_name <> 'spec'`;
  return {
    admin,
    database: open({ url, ...options }),
    cutAll: () => admin.query(`select pg_terminate_backend(pid) ${others}`),
    lock: (what: string) => locker.query(`begin; lock table ${what}`),
    lockTables: () => locker.query('begin; lock table jobs, outbox in access exclusive mode'),
    unlockTables: () => locker.query('rollback'),
    /** Resolves when so many statements wait for a lock. */
    waiting: (count: number) =>
      eventually(async () => {
        const { rowCount } = await admin.query(`select ${others} and wait_event_type = 'Lock'`);
        expect(rowCount).toBe(count);
      }),
  };
}

type Call = [name: string, call: (database: Database) => Promise<unknown>];

/** One call of each kind: through pg, through pg in a batch, and through Prisma. */
const readingCalls: Call[] = [
  ['dispatches.takeDue', (database) => database.outbox.takeDue(1, 1)],
  ['jobs.reportProgress', (database) => database.jobs.reportProgress(randomUUID(), 1, { percent: 1, message: null })],
  [
    'jobs.claim',
    (database) =>
      database.jobs.claim({
        jobId: randomUUID(),
        dispatchId: randomUUID(),
        redelivered: false,
        deliveryCount: 0,
        claimId: randomUUID(),
        holder: 'spec',
      }),
  ],
  ['jobs.get', (database) => database.jobs.get(randomUUID())],
  ['jobs.list', (database) => database.jobs.list({ limit: 1 })],
  ['webhooks.list', (database) => database.webhooks.list(randomUUID())],
];
const calls: Call[] = [['ping', (database) => database.ping()], ...readingCalls];

/** A server that does `greet` to whoever connects. */
async function fakeServer(greet: (socket: { destroy(): void }) => void): Promise<string> {
  const sockets = new Set<{ destroy(): void }>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).once('data', () => greet(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.push({
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  });
  return `postgres://nobody@127.0.0.1:${(server.address() as AddressInfo).port}/nothing`;
}

describe.each(calls)('%s', (_name, call) => {
  it('says that the database is away when no server is there', async () => {
    const database = open({ url: 'postgres://nobody@127.0.0.1:1/nothing' });
    await expect(call(database)).rejects.toThrow(DatabaseUnavailableError);
  });

  it('says so when the server hangs up, or does not answer', async () => {
    const hangsUp = open({ url: await fakeServer((socket) => socket.destroy()) });
    await expect(call(hangsUp)).rejects.toThrow(DatabaseUnavailableError);
    const silent = open({ url: await fakeServer(() => undefined), timeoutMs: 50 });
    await expect(call(silent)).rejects.toThrow(DatabaseUnavailableError);
  });
});

describe.each(calls)('%s', (_name, call) => {
  it('says that the database is away when its connection is cut under way, and works again by itself', async () => {
    const { database, lockTables, unlockTables, cutAll, waiting } = await setup();
    await lockTables();
    const outcome = call(database).catch((error: unknown) => error);
    await waiting(1);
    await cutAll();
    expect(await outcome).toBeInstanceOf(DatabaseUnavailableError);
    await unlockTables();
    await call(database);
  });

  it('says so when a statement takes too long, and works again by itself', async () => {
    const { database, lockTables, unlockTables } = await setup({ timeoutMs: 250 });
    await lockTables();
    await expect(call(database)).rejects.toThrow(DatabaseUnavailableError);
    await unlockTables();
    await eventually(() => call(database));
  });
});

describe('ping', () => {
  it.each(['jobs', 'outbox', 'idempotency_keys'])('waits while %s is locked, for as long as it may', async (table) => {
    const { database, lock, unlockTables, waiting } = await setup({ timeoutMs: 2_000 });
    await lock(`${table} in access exclusive mode`);
    const first = database.ping();
    await waiting(1);
    await unlockTables();
    await first;
  });

  it('waits where only writing is locked out, with one connection however often it is called', async () => {
    const { database, lock, unlockTables, waiting } = await setup();
    await lock('jobs in share mode');
    const asked = [database.ping(), database.ping()];
    await waiting(1);
    asked.push(database.ping());
    await waiting(1);
    await unlockTables();
    await Promise.all(asked);
  });
});

describe('openDatabase', () => {
  it('replaces connections that were cut while nobody used them, and tells of each', async () => {
    const onConnectionError = jest.fn();
    const { database, cutAll } = await setup({ onConnectionError });
    await Promise.all(calls.map(([, call]) => call(database)));
    const { rowCount } = await cutAll();
    await eventually(() => expect(onConnectionError).toHaveBeenCalledTimes(rowCount as number));
    await Promise.all(calls.map(([, call]) => call(database)));
  });

  it('says that the database is away to those who wait too long for a connection', async () => {
    const { database, lockTables } = await setup({ poolSize: 1, timeoutMs: 250 });
    await lockTables();
    const outcomes = await Promise.all(readingCalls.map(([, call]) => call(database).catch((error: unknown) => error)));
    for (const outcome of outcomes) expect(outcome).toBeInstanceOf(DatabaseUnavailableError);
    const causes = outcomes.map((outcome) => ((outcome as Error).cause as Error).message);
    expect(causes).toContainEqual(expect.stringContaining('timeout exceeded when trying to connect'));
  });

  it('says that the database is away once it is closed', async () => {
    const database = openDatabase({ url });
    await database.ping();
    await database.close();
    for (const [, call] of calls) await expect(call(database)).rejects.toThrow(DatabaseUnavailableError);
  });
});

describe('a fault of another kind', () => {
  it('is not blamed on the database being away', async () => {
    const { database } = await setup();
    await expect(database.outbox.takeDue(-1, 1)).rejects.toMatchObject({ code: '2201W' });
    await expect(database.jobs.get('nonsense')).rejects.not.toThrow(DatabaseUnavailableError);
  });

  it.each([
    ['an error without a code', new Error('something else')],
    ['a bug', new TypeError('x is not a function')],
    ['no error at all', undefined],
  ])('is passed on as it is: %s', async (_what, fault) => {
    await expect(orUnavailable(() => Promise.reject(fault))).rejects.toBe(fault);
  });
});

/** A database of its own on which `sql` was run; `admin` may run more. */
async function databaseWith(sql: string, options: Partial<DatabaseOptions> = {}) {
  const own = freshDatabaseUrl();
  await migrate(own);
  const admin = new pg.Client({ connectionString: own });
  await admin.connect();
  opened.push({ close: () => admin.end() });
  await admin.query(sql.replaceAll('this_database', new URL(own).pathname.slice(1)));
  return { database: open({ url: own, ...options }), admin };
}

const progress = (database: Database) => database.jobs.reportProgress(randomUUID(), 1, { percent: 1, message: null });
const claim = (database: Database) => (readingCalls[2] as Call)[1](database);
/** Has each statement that updates jobs do `body` first, as PL/pgSQL. */
const whenUpdating = (body: string) => `
  create function spec() returns trigger language plpgsql as $$ begin ${body}; return null; end $$;
  create trigger spec before update on jobs for each statement execute function spec()`;

describe('a fault of PostgreSQL that can pass', () => {
  it.each(['lock_timeout', 'transaction_timeout'])('is no fault of the call: %s', async (setting) => {
    const { database, admin } = await databaseWith(`alter database this_database set ${setting} = '100ms'`);
    await admin.query(`set ${setting} = 0; begin; lock table jobs, outbox in access exclusive mode`);
    for (const [, call] of readingCalls) await expect(call(database)).rejects.toThrow(DatabaseUnavailableError);
    await admin.query('rollback');
    for (const [, call] of readingCalls) await call(database);
  });

  it('is told from one of the data', async () => {
    const fault = `raise exception 'no' using errcode = (select code from spec_code)`;
    const { database, admin } = await databaseWith(`create table spec_code (code text); ${whenUpdating(fault)}`);
    const raised = async (code: string): Promise<unknown> => {
      await admin.query(`delete from spec_code`);
      await admin.query(`insert into spec_code values ($1)`, [code]);
      return progress(database).catch((error: unknown) => error);
    };
    for (const code of [
      '0A000',
      '25P03',
      '26000',
      '40001',
      '42501',
      '42704',
      '42883',
      '42P05',
      '55006',
      'F0001',
      'P0001',
    ])
      expect(await raised(code)).toBeInstanceOf(DatabaseUnavailableError);
    for (const code of ['21000', '22P05', '23514', '54001']) expect(await raised(code)).toMatchObject({ code });
  });
});

describe('a prepared statement', () => {
  it('that is gone is prepared again', async () => {
    const { database, admin } = await databaseWith(whenUpdating(`execute 'deallocate all'`), { poolSize: 1 });
    await progress(database);
    await admin.query('drop trigger spec on jobs');
    await expect(progress(database)).rejects.toThrow(/not available: prepared statement .* does not exist/);
    expect(await progress(database)).toBeNull();
  });

  it('that is there twice is prepared on another connection', async () => {
    const twice = whenUpdating(`execute 'prepare "claim-waiting-jobs" as select 1'`);
    const { database, admin } = await databaseWith(twice, { poolSize: 1 });
    await progress(database);
    await admin.query('drop trigger spec on jobs');
    await expect(claim(database)).rejects.toThrow(/not available: prepared statement .* already exists/);
    expect(await claim(database)).toMatchObject({ kind: 'refused' });
  });

  it('whose result has another type since is prepared again', async () => {
    const { database, admin } = await databaseWith('', { poolSize: 1 });
    await progress(database);
    await admin.query('alter table jobs alter column priority type int');
    await expect(progress(database)).rejects.toThrow(/not available: cached plan must not change result type/);
    expect(await progress(database)).toBeNull();
  });
});

describe('a server that will not do what it is asked for now', () => {
  it('counts as away: read-only, a password it does not know, a table it does not have yet', async () => {
    const readOnly = new URL(url);
    readOnly.searchParams.set('options', '-c default_transaction_read_only=on');
    await expect(open({ url: readOnly.href }).outbox.takeDue(1, 1)).rejects.toThrow(/not available: .*read-only/);
    const wrongPassword = Object.assign(new URL(url), { password: 'wrong' }).href;
    await expect(open({ url: wrongPassword }).ping()).rejects.toThrow(DatabaseUnavailableError);
    await expect(open({ url: wrongPassword }).jobs.get(randomUUID())).rejects.toThrow(DatabaseUnavailableError);

    const { database, admin } = await setup();
    await admin.query('drop table outbox, webhook_deliveries, jobs'); // the last test with the database of this file
    await expect(database.outbox.takeDue(1, 1)).rejects.toThrow(DatabaseUnavailableError);
    await expect(database.jobs.list({ limit: 1 })).rejects.toThrow(DatabaseUnavailableError);
  });
});
