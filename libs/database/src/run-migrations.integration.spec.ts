import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { freshDatabaseUrl } from '@offload/spec-kit';
import pg from 'pg';
import { migrate } from './migrate.ts';

const url = freshDatabaseUrl();
const role = `spec_${randomUUID().replaceAll('-', '')}`;
let admin: pg.Client;
beforeAll(async () => {
  await migrate(url);
  admin = new pg.Client({ connectionString: url });
  await admin.connect();
  await admin.query(`create role ${role} login password 'spec'`);
});
afterAll(async () => {
  await admin.query(`drop role ${role}`);
  await admin.end();
});

/** Runs the program as that role. @returns its exit code and its errors */
async function runAsRole(databaseUrl: string, password = 'spec') {
  const DATABASE_URL = Object.assign(new URL(databaseUrl), { username: role, password }).href;
  const args = ['--import', 'tsx', '--conditions=@offload/source', join(import.meta.dirname, 'run-migrations.ts')];
  const child = spawn(process.execPath, args, { env: { ...process.env, NODE_OPTIONS: '', DATABASE_URL } });
  const [told, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  return { code, told };
}

/** A database without tables. */
async function emptyDatabase(): Promise<string> {
  const other = freshDatabaseUrl();
  await admin.query(`create database ${new URL(other).pathname.slice(1)}`);
  return other;
}

it.each([
  ['create tables', emptyDatabase, /permission denied for schema public/],
  ['create the database', async () => freshDatabaseUrl(), /permission denied to create database/],
  ['change what another has migrated', async () => url, /permission denied for table _prisma_migrations/],
])('exits at once with the reason if its user may not %s', async (_what, database, reason) => {
  const { code, told } = await runAsRole(await database());
  expect(told).toMatch(reason);
  expect(told).not.toMatch(/^waiting/);
  expect(code).toBe(1);
});

it('exits at once with the reason if its password is wrong', async () => {
  expect(await runAsRole(url, 'wrong')).toEqual({
    code: 1,
    told: expect.stringMatching(/^the migrations were not applied to DATABASE_URL: .*password authentication failed/),
  });
});

it('exits at once with the reason if its user has no schema for tables', async () => {
  await admin.query(`alter role ${role} set search_path = 'nowhere'`);
  expect(await runAsRole(await emptyDatabase())).toMatchObject({
    code: 1,
    told: expect.stringMatching(/no schema has been selected to create in/),
  });
});
