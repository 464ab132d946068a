import { afterEach, expect, it } from '@jest/globals';
import { chmod, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startEmbeddedPostgres, type EmbeddedPostgres } from './embedded-postgres.ts';
import { removePostgresFolder } from './postgres-account.ts';

let folder = '';
const lines: string[] = [];
let server: EmbeddedPostgres | undefined;

async function start(port?: number): Promise<EmbeddedPostgres> {
  const options = { dataDir: join(folder, 'postgres'), log: (line: string) => lines.push(line) };
  server = await startEmbeddedPostgres(port === undefined ? options : { ...options, port });
  return server;
}

afterEach(async () => {
  await server?.stop();
  await removePostgresFolder(join(folder, 'postgres'));
  await removePostgresFolder(folder);
});

it('keeps what was committed through kill -9, on the same port, and listens on 127.0.0.1 alone', async () => {
  folder = await mkdtemp(join(tmpdir(), 'offload-postgres-'));
  await chmod(folder, 0o711);
  const first = await start();
  await trustLocalConnections(join(folder, 'postgres'), first.pid);
  await query(first.port, 'create table kept as select 42 as answer');
  expect(await query(first.port, 'show listen_addresses')).toBe('127.0.0.1');

  process.kill(first.pid, 'SIGKILL');
  expect(await first.exited).toEqual({ code: null, signal: 'SIGKILL' });
  const second = await start(first.port);
  expect(lines.join('\n')).toContain('automatic recovery in progress');
  expect(await query(second.port, 'select answer from kept')).toBe('42');

  // A supervisor that was killed leaves its server behind: the next start on the folder ends that one.
  const third = await start();
  expect(await second.exited).toEqual({ code: 0, signal: null });
  expect(await query(third.port, 'select answer from kept')).toBe('42');
}, 30_000);

it('works in a folder that only root can enter', async () => {
  folder = await mkdtemp(join(tmpdir(), 'offload-postgres-')); // mode 0700
  await (await start()).stop();
  lines.length = 0;
  await start();
  expect(lines.join('\n')).toContain('database system was shut down at'); // the same data again
}, 30_000);

it('says what PostgreSQL said when it does not start', async () => {
  folder = await mkdtemp(join(tmpdir(), 'offload-postgres-'));
  const starting = startEmbeddedPostgres({
    dataDir: join(folder, 'postgres'),
    settings: { max_connections: 'many' },
    log: () => {},
  });
  await expect(starting).rejects.toThrow(/did not start \(code 1\).*max_connections.*many/s);
}, 30_000);

/** This library may not use a client library: without a password, the protocol is short enough to speak it by hand. */
async function trustLocalConnections(dataDir: string, pid: number): Promise<void> {
  const file = join(dataDir, 'pg_hba.conf');
  await writeFile(file, `host all all 127.0.0.1/32 trust\n${await readFile(file, 'utf8')}`);
  process.kill(pid, 'SIGHUP');
}

/** The first column of the last row; https://www.postgresql.org/docs/18/protocol-message-formats.html */
function query(port: number, sql: string): Promise<string> {
  const message = (type: string, body: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(body.length + 4);
    return Buffer.concat([Buffer.from(type), length, body]);
  };
  return new Promise((resolve, reject) => {
    const version = Buffer.from([0, 3, 0, 0]);
    const socket = connect(port, '127.0.0.1', () =>
      socket.write(message('', Buffer.concat([version, Buffer.from('user\0offload\0database\0postgres\0\0')]))),
    );
    let input = Buffer.alloc(0);
    let value = '';
    let asked = false;
    socket.on('error', reject).on('close', () => resolve(value));
    socket.on('data', (chunk) => {
      input = Buffer.concat([input, chunk]);
      while (input.length >= 5 && input.length > input.readInt32BE(1)) {
        const type = input.toString('latin1', 0, 1);
        const body = input.subarray(5, input.readInt32BE(1) + 1);
        input = input.subarray(input.readInt32BE(1) + 1);
        if (type === 'E') reject(new Error(body.toString()));
        if (type === 'D') value = body.toString('utf8', 6, 6 + body.readInt32BE(2));
        if (type === 'Z' && asked) socket.end(message('X', Buffer.alloc(0)));
        if (type === 'Z' && !asked) socket.write(message('Q', Buffer.from(`${sql}\0`)));
        if (type === 'Z') asked = true;
      }
    });
  });
}
