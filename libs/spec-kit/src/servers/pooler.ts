import { chmod, chown, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  installPackage,
  describeExit,
  startChild,
  type LineSink,
  isExecutable,
  freePort,
} from '@offload/child-processes';
import { serverAccount } from '@offload/embedded-servers';

/** When PgBouncer gives a client's server connection to another client: after its session, transaction or statement. */
export type PoolMode = 'session' | 'transaction' | 'statement';

/** A running PgBouncer. */
export interface Pooler {
  /** URL of the given database through the pooler. Other databases of its server work too. */
  readonly url: string;
  /** Ends the pooler and removes its configuration. */
  remove(): Promise<void>;
}

const PROGRAM = '/usr/sbin/pgbouncer';

/**
 * Starts PgBouncer in front of a PostgreSQL, on 127.0.0.1. It installs Debian's package if PgBouncer is missing.
 *
 * @param databaseUrl URL of a database, with user and password
 * @throws Error when PgBouncer can't be installed or does not start
 */
export async function startPooler(
  databaseUrl: string,
  mode: PoolMode,
  { abort, log }: { abort: AbortSignal; log: LineSink },
): Promise<Pooler> {
  if (!isExecutable(PROGRAM)) {
    const why = await installPackage('pgbouncer', log, abort);
    if (!isExecutable(PROGRAM))
      throw new Error(`PgBouncer is not installed, and ${why ?? 'apt-get did not install it'}`);
  }
  const server = new URL(databaseUrl);
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'offload-pooler-')));
  const port = await freePort();
  const account = serverAccount('postgres', folder); // PgBouncer does not run as root
  const [configuration, users] = [join(folder, 'pgbouncer.ini'), join(folder, 'users.txt')];
  await writeFile(users, `"${decodeURIComponent(server.username)}" "${decodeURIComponent(server.password)}"\n`);
  await writeFile(
    configuration,
    `[databases]
* = host=${server.hostname} port=${server.port || 5432}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${users}
pool_mode = ${mode}
default_pool_size = 20
max_client_conn = 1000
server_login_retry = 1
`,
  );
  await chmod(folder, 0o700);
  for (const path of account ? [users, configuration, folder] : [])
    await chown(path, account?.uid ?? 0, account?.gid ?? 0);

  let ready = (): void => undefined;
  const listening = new Promise<void>((resolve) => (ready = resolve));
  const child = await startChild(PROGRAM, [configuration], {
    env: { PATH: process.env['PATH'] },
    cwd: '/',
    account,
    abort,
    onLine: (line) => (line.includes('process up') ? ready() : undefined),
  });
  const exit = await Promise.race([listening, child.exited]);
  const remove = async (): Promise<void> => {
    await child.stop('SIGTERM', 0);
    await rm(folder, { recursive: true, force: true });
  };
  if (exit === undefined) return { url: Object.assign(server, { host: `127.0.0.1:${port}` }).href, remove };
  await remove();
  throw new Error(`PgBouncer did not start (${describeExit(exit)}):\n${child.tail()}`);
}
