import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { chmod, mkdtemp, readFile, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  sourceArguments,
  type Child,
  freePort,
  knock,
  type Knock,
  startChild,
  stranger,
} from '@offload/child-processes';
import { removeDataFolder } from '@offload/embedded-servers';
import { removeServerData } from './machine-servers.ts';

const stub = join(import.meta.dirname, '../fixtures/stub-system.mjs');
const lines: string[] = [];
let above = '';
let folder = '';
let system: Child | undefined;
let database = new URL('postgres://');
let broker = new URL('amqp://');
let page = '';

/** Starts the system with servers of its own and stand-ins for its processes, in a new folder. */
beforeAll(async () => {
  above = await mkdtemp(join(tmpdir(), 'offload-others-'));
  await chmod(above, 0o711); // so that only the folder itself stops other users
  folder = join(above, 'data');
  const ports = { API_PORT: await freePort(), WORKER_PORT: await freePort(), NOTIFIER_PORT: await freePort() };
  const variables = Object.entries(ports).map(([name, port]) => [name, String(port)]);
  const env = { ...process.env, NODE_OPTIONS: '', DATABASE_URL: '', AMQP_URL: '', ...Object.fromEntries(variables) };
  let ready = (): void => {};
  const isReady = new Promise<void>((resolve) => (ready = resolve));
  system = await startChild(process.execPath, [...sourceArguments(stub), folder], {
    env,
    cwd: join(import.meta.dirname, '../../..'),
    onLine: (line) => (lines.push(line), line.startsWith('ready') && ready()),
  });
  await Promise.race([isReady, system.exited]);
  const servers = JSON.parse(await readFile(join(folder, 'servers.json'), 'utf8')) as Record<string, string>;
  [database, broker] = [new URL(servers['DATABASE_URL'] ?? ''), new URL(servers['AMQP_URL'] ?? '')];
  page = /RabbitMQ (http:\S+)/.exec(lines.join('\n'))?.[1] ?? '';
}, 60_000);

afterAll(async () => {
  await system?.stop('SIGTERM', 10_000);
  await removeServerData(folder);
  await removeDataFolder(above);
});

const SECRETS = [
  ...['servers.json', 'webhook-secrets', 'postgres-passwords.json', 'postgres'],
  ...['passwords.json', 'definitions.json', 'rabbitmq.config', 'home/.erlang.cookie', 'data', 'log', 'home'].map(
    (name) => `rabbitmq/${name}`,
  ),
];

it('lets no other user read its files', async () => {
  const knocks = SECRETS.map((name): Knock => ['read', join(folder, name)]);
  if (stranger) expect(await knock(knocks, stranger)).toEqual(SECRETS.map(() => 'EACCES'));
  const modes = await Promise.all(SECRETS.map(async (name) => (await stat(join(folder, name))).mode & 0o077));
  expect(modes).toEqual(SECRETS.map(() => 0));
  expect((await stat(join(folder, 'rabbitmq/home/.erlang.cookie'))).mode & 0o777).toBe(0o400);
  expect((await stat(folder)).mode & 0o777).toBe(stranger ? 0o711 : 0o700); // root's servers must enter it
});

it('refuses a guessed password', async () => {
  const names = ['offload', 'postgres', 'operator', 'guest', 'rabbitmq', 'root'];
  const guesses = names.flatMap((name) => [
    [name, name],
    [name, ''],
  ]) as [user: string, password: string][];
  const knocks = guesses.flatMap(([user, password]): Knock[] => [
    ['postgres', Number(database.port), 'postgres', user, password, 'select 1'],
    ['postgres', Number(database.port), 'offload', user, password, 'select 1'],
    ['amqp', Number(broker.port), user, password],
    ['http', `${page}/api/whoami`, user, password],
  ]);
  const refused = expect.stringMatching(/^password authentication failed/);
  expect(await knock(knocks, stranger)).toEqual(guesses.flatMap(() => [refused, refused, 'no', 401]));
});

it('listens on no Unix socket that is open to all', async () => {
  const sockets = ['/tmp', '/run/postgresql'].map((path) => join(path, `.s.PGSQL.${database.port}`));
  const knocks = sockets.map((path): Knock => ['connect', path]);
  expect(await knock(knocks, stranger)).toEqual(['ENOENT', 'ENOENT']);
});

it('gives its processes and tools a login without administrative rights', async () => {
  const { port, username, password } = database;
  const asProcess = (sql: string): Knock => ['postgres', Number(port), 'offload', username, password, sql];
  const answers = await knock([
    asProcess("select current_user || ' ' || rolsuper from pg_roles where rolname = current_user"),
    asProcess('create table own (id int); select count(*) from own'),
    asProcess("copy (select 1) to program 'id'"),
    asProcess("select pg_read_file('PG_VERSION')"),
    ['amqp', Number(broker.port), broker.username, broker.password],
    ['http', `${page}/api/whoami`, broker.username, broker.password],
  ]);
  const denied = expect.stringMatching(/^permission denied/);
  expect(answers).toEqual(['offload false', '0', denied, denied, 'yes', 401]);
});

it('names the file with the password of the management page, which is valid, and prints no password', async () => {
  const file = join(folder, 'rabbitmq', 'passwords.json');
  expect(lines.join('\n')).toContain(`${page} (user operator, its password is in ${file})`);
  const passwords = JSON.parse(await readFile(file, 'utf8')) as Record<string, string>;
  expect(await knock([['http', `${page}/api/whoami`, 'operator', String(passwords['operator'])]])).toEqual([200]);
  const said = lines.filter((line) => !line.startsWith('migrate')).join('\n'); // the stand-in prints its variables
  for (const secret of [...Object.values(passwords), database.password]) expect(said).not.toContain(secret);
});

it('does not run its servers as root', async () => {
  if (!stranger) return; // not root: the servers run as this user
  const recorded = JSON.parse(await readFile(join(folder, 'processes.json'), 'utf8')) as Record<
    string,
    { pid: number }[]
  >;
  const pids = ['postgres', 'rabbitmq'].flatMap((server) => (recorded[server] ?? []).map(({ pid }) => pid));
  expect(pids).toHaveLength(3); // PostgreSQL, the broker, and its port mapper
  const uids = await Promise.all(pids.map(async (pid) => (await stat(`/proc/${pid}`)).uid));
  expect(uids).not.toContain(0);
});
