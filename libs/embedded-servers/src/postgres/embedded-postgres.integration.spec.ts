import { afterEach, expect, it } from '@jest/globals';
import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { knock } from '@offload/child-processes';
import { removeDataFolder } from '../server-account.ts';
import { removePostgres, startEmbeddedPostgres, type EmbeddedPostgres } from './embedded-postgres.ts';

let folder = '';
const lines: string[] = [];
let server: EmbeddedPostgres | undefined;

async function start(port?: number): Promise<EmbeddedPostgres> {
  const options = { dataDir: join(folder, 'postgres'), log: (line: string) => lines.push(line) };
  server = await startEmbeddedPostgres(port === undefined ? options : { ...options, port });
  return server;
}

/** Runs a query as the superuser. */
async function query({ url, port }: EmbeddedPostgres, sql: string): Promise<unknown> {
  const { username, password } = new URL(url);
  return (await knock([['postgres', port, 'postgres', username, password, sql]]))[0];
}

afterEach(async () => {
  await server?.stop();
  await removePostgres(join(folder, 'postgres'));
  await removeDataFolder(folder);
});

it('keeps committed data through kill -9, on the same port, and listens on 127.0.0.1 alone', async () => {
  folder = await mkdtemp(join(tmpdir(), 'offload-postgres-'));
  await chmod(folder, 0o711);
  const first = await start();
  await query(first, 'create table kept as select 42 as answer');
  expect(await query(first, 'show listen_addresses')).toBe('127.0.0.1');

  process.kill(first.pid, 'SIGKILL');
  expect(await first.exited).toEqual({ code: null, signal: 'SIGKILL' });
  const second = await start(first.port);
  expect(lines.join('\n')).toContain('automatic recovery in progress');
  expect(await query(second, 'select answer from kept')).toBe('42');

  // A killed supervisor leaves its server behind: the next start on the folder ends that server.
  const third = await start();
  expect(await second.exited).toEqual({ code: 0, signal: null });
  expect(await query(third, 'select answer from kept')).toBe('42');
}, 30_000);

it('works in a folder that only root can enter', async () => {
  folder = await mkdtemp(join(tmpdir(), 'offload-postgres-')); // mode 0700
  await (await start()).stop();
  lines.length = 0;
  await start();
  expect(lines.join('\n')).toContain('database system was shut down at'); // the same data again
}, 30_000);

it("rejects with PostgreSQL's log when it does not start", async () => {
  folder = await mkdtemp(join(tmpdir(), 'offload-postgres-'));
  const starting = startEmbeddedPostgres({
    dataDir: join(folder, 'postgres'),
    settings: { max_connections: 'many' },
    log: () => {},
  });
  await expect(starting).rejects.toThrow(/did not start \(code 1\).*max_connections.*many/s);
}, 30_000);
