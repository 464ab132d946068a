import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { eventually, freshDatabaseUrl } from '@offload/spec-kit';
import { openProxy } from '@offload/spec-kit/servers';
import pg from 'pg';
import { migrate } from './migrate.ts';
import { openDatabase, type Database } from './open-database.ts';
import { DatabaseUnavailableError } from './unavailable.ts';

const url = freshDatabaseUrl();
let admin: pg.Client;
beforeAll(async () => {
  await migrate(url);
  admin = new pg.Client({ connectionString: url });
  await admin.connect();
});
afterAll(() => admin.end());

const opened: { close(): Promise<unknown> }[] = [];
afterEach(async () => void (await Promise.all(opened.splice(0).map((each) => each.close()))));

/** A database, and what it tells of itself. */
function open(to: string): { database: Database; told: Error[] } {
  const told: Error[] = [];
  const database = openDatabase({ url: to, onUnusable: (error) => void told.push(error) });
  opened.push(database);
  return { database, told };
}

it.each<[what: string, change: (url: URL) => unknown, words: RegExp]>([
  ['a wrong password', (to) => (to.password = 'wrong'), /refused the connection: password authentication failed/],
  ['no password', (to) => (to.password = ''), /refused the connection: .*client password must be/],
  ['no such database', (to) => (to.pathname = '/nowhere'), /refused the connection: database "nowhere" does not exist/],
])('a server that refuses the first connection makes the database unusable: %s', async (_what, change, words) => {
  const refused = new URL(url);
  change(refused);
  const { told } = open(refused.href);
  await eventually(() => expect(told).toHaveLength(1));
  expect(told[0]).toMatchObject({ code: 'database-unusable', message: expect.stringMatching(words) });
});

it('a server that is away is waited for, and may refuse then', async () => {
  const proxy = await openProxy(freshDatabaseUrl()); // of a database that is not there
  opened.push(proxy);
  proxy.shut();
  const { database, told } = open(proxy.url);
  await expect(database.ping()).rejects.toThrow(DatabaseUnavailableError);
  expect(told).toEqual([]);
  await proxy.open();
  await expect(database.ping()).rejects.toThrow(/does not exist/);
  expect(told).toHaveLength(1);
});

it('a server that accepted a connection may refuse others for a while', async () => {
  const role = `spec_${randomUUID().replaceAll('-', '')}`;
  await admin.query(`create role ${role} login password 'spec' in role ${new URL(url).username}`);
  const { database, told } = open(Object.assign(new URL(url), { username: role, password: 'spec' }).href);
  await database.ping();
  await admin.query(`alter role ${role} nologin`);
  await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [role]);
  await eventually(() => expect(database.ping()).rejects.toThrow(/is not permitted to log in/));
  await admin.query(`alter role ${role} login`);
  await eventually(() => database.ping());
  expect(told).toEqual([]);
  await database.close();
  opened.splice(0);
  await admin.query(`drop role ${role}`);
});
