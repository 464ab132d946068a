import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { knock, type Knock } from '@offload/child-processes';
import {
  postgresBinaries,
  removeDataFolder,
  serverAccount,
  startEmbeddedPostgres,
  startEmbeddedRabbitmq,
} from '@offload/embedded-servers';

// The data of an earlier version: superuser and administrator are `offload`, with that password, and own everything.
let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'offload-earlier-'));
  await chmod(folder, 0o711);
});
afterEach(() => removeDataFolder(folder));

const SCHEMA = `create type mood as enum ('good');
create table jobs (id bigint generated always as identity primary key, mood mood default 'good');
create function answer() returns int language sql as 'select 42';
create view all_jobs as select * from jobs;
insert into jobs default values;
`;

it('keeps the tables of an earlier PostgreSQL, gives them to the new role, and changes the known password', async () => {
  const dataDir = join(folder, 'postgres');
  const account = serverAccount('postgres', dataDir);
  const options = { cwd: '/', uid: account?.uid, gid: account?.gid, stdio: ['pipe', 'ignore', 'ignore'] as const };
  const programs = postgresBinaries(account);
  const alone = (database: string, input: string) =>
    execFileSync(join(programs, 'postgres'), ['--single', '-D', dataDir, database], {
      ...options,
      input,
      stdio: 'pipe',
    });
  await chmod(folder, 0o777);
  await writeFile(join(folder, 'password'), 'offload');
  const access = ['--username=offload', `--pwfile=${join(folder, 'password')}`, '--auth=scram-sha-256'];
  execFileSync(join(programs, 'initdb'), [`--pgdata=${dataDir}`, ...access], { ...options, stdio: 'ignore' });
  alone('postgres', 'create database offload\n');
  alone('offload', SCHEMA);

  const server = await startEmbeddedPostgres({ dataDir, log: () => {} });
  const { username, password } = new URL(server.ownerUrl);
  const as = (user: string, secret: string, sql: string): Knock => [
    ...(['postgres', server.port, 'offload', user, secret, sql] as const),
  ];
  const answers = await knock([
    as('offload', 'offload', 'select 1'),
    as('postgres', new URL(server.url).password, "select current_setting('is_superuser')"),
    as(username, password, "select current_setting('is_superuser') || ' ' || count(*) from all_jobs"),
  ]);
  const changes = `alter table jobs add column done bool; alter type mood add value 'bad';
    create or replace function answer() returns int language sql as 'select 43';
    insert into jobs default values returning id || ' ' || answer()`;
  answers.push(...(await knock([as(username, password, changes)])));
  await server.stop();
  const refused = expect.stringMatching(/^password authentication failed/);
  expect(answers).toEqual([refused, 'on', 'off 1', '2 43']);

  await rm(`${dataDir}-passwords.json`); // lost passwords: new ones are made
  const again = await startEmbeddedPostgres({ dataDir, log: () => {} });
  const login = new URL(again.ownerUrl);
  const values = await knock([
    ['postgres', again.port, 'offload', username, password, 'select 1'],
    ['postgres', again.port, 'offload', login.username, login.password, 'select count(*) from jobs'],
  ]);
  await again.stop();
  expect(values).toEqual([refused, '2']);
}, 60_000);

it("keeps an earlier RabbitMQ's queues, and makes its administrator an ordinary user with another password", async () => {
  const dataDir = join(folder, 'rabbitmq');
  const permission = { user: 'offload', vhost: '/', configure: '.*', write: '.*', read: '.*' };
  const definitions = {
    vhosts: [{ name: '/' }],
    users: [{ name: 'offload', password: 'offload', tags: ['administrator'] }],
    permissions: [permission],
    queues: [{ name: 'kept', vhost: '/', durable: true, auto_delete: false, arguments: {} }],
  };
  const earlier = await startEmbeddedRabbitmq({ dataDir, settings: { definitions }, log: () => {} });
  const { port } = new URL(earlier.amqpUrl);
  expect(await knock([['amqp', Number(port), 'offload', 'offload']])).toEqual(['yes']);
  await earlier.stop();
  await rm(join(dataDir, 'passwords.json'));
  if (process.getuid?.() === 0) execFileSync('chown', ['-R', '0:0', dataDir]); // the earlier version ran it as root
  for (const name of ['', 'data', 'log']) await chmod(join(dataDir, name), 0o755);

  const server = await startEmbeddedRabbitmq({ dataDir, log: () => {} });
  const { username, password, port: amqpPort } = new URL(server.ordinaryUrl);
  const whoami = `${server.managementUrl}/api/whoami`;
  const operator = new URL(server.amqpUrl);
  const answers = await knock([
    ['amqp', Number(amqpPort), 'offload', 'offload'],
    ['http', whoami, 'offload', 'offload'],
    ['amqp', Number(amqpPort), username, password],
    ['http', whoami, username, password],
    ['http', `${server.managementUrl}/api/queues/%2F/kept`, operator.username, operator.password],
  ]);
  await server.stop();
  expect(answers).toEqual(['no', 401, 'yes', 401, 200]);
}, 60_000);
