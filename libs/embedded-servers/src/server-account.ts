import { execFileSync, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** The user that a server runs as: root starts none as root. */
export interface Account {
  uid: number;
  gid: number;
  name: string;
}

/** Where root keeps what that user cannot reach, as when the checkout lies under /root. */
export const REACHABLE_FOLDER = '/var/lib/offload';

/** How a server is called, and the user that its package brings. */
const SERVERS = { postgres: 'PostgreSQL', rabbitmq: 'RabbitMQ' } as const;

/**
 * The account to run a server as. Undefined unless this process is root. Root runs it as the user that owns `dataDir`,
 * else as the user of its package, else as `nobody`: no user is created.
 * @throws Error when this machine has none of them
 */
export function serverAccount(server: keyof typeof SERVERS, dataDir: string): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  if (existsSync(dataDir)) {
    const { uid, gid } = statSync(dataDir);
    if (uid !== 0) return { uid, gid, name: `user ${uid}` };
  }
  for (const name of [server, 'nobody']) {
    const [uid, gid] = [idOf('-u', name), idOf('-g', name)];
    if (uid !== undefined && gid !== undefined) return { uid, gid, name };
  }
  throw new Error(
    `${SERVERS[server]} must not run as root, and there is no user "${server}" or "nobody" that it could run as. Ways out: ` +
      `start as another user; or create the user (useradd --system ${server}); or set ` +
      `${server === 'postgres' ? 'DATABASE_URL' : 'AMQP_URL'} to a ${SERVERS[server]} elsewhere.`,
  );
}

/**
 * A place for data at `dataDir` that `account` can reach: its real path. Where `account` cannot even enter the folders
 * above it, the data lie under /var/lib/offload and `dataDir` is a symbolic link to there; data that are there already
 * move.
 */
export function dataFolderFor(dataDir: string, account: Account | undefined): string {
  if (isLink(dataDir)) {
    const target = readlinkSync(dataDir);
    mkdirSync(dirname(target), { recursive: true });
    return target;
  }
  mkdirSync(dirname(dataDir), { recursive: true });
  if (canEnter(dirname(dataDir), account)) return dataDir;
  const target = join(reachableFolder(), `${randomUUID()}.${basename(dataDir)}`);
  if (existsSync(dataDir)) {
    cpSync(dataDir, target, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
    rmSync(dataDir, { recursive: true });
  }
  symlinkSync(target, dataDir);
  return target;
}

/** /var/lib/offload, open for every user to pass through. */
export function reachableFolder(): string {
  mkdirSync(REACHABLE_FOLDER, { recursive: true });
  chmodSync(REACHABLE_FOLDER, 0o755);
  return REACHABLE_FOLDER;
}

/** Whether `account` may enter `folder`, asked of the system itself. */
export function canEnter(folder: string, account: Account | undefined): boolean {
  if (account === undefined) return true;
  const { uid, gid } = account;
  return spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { uid, gid, cwd: '/', stdio: 'ignore' }).status === 0;
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

function idOf(flag: '-u' | '-g', name: string): number | undefined {
  try {
    return Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  } catch {
    return undefined; // no such user
  }
}

/** Gives all of a folder to `account`, unless it has it already. */
export function giveTo(account: Account | undefined, folder: string): void {
  if (account === undefined || statSync(folder).uid === account.uid) return;
  execFileSync('chown', ['-R', `${account.uid}:${account.gid}`, folder]);
}

/** Removes the data at `dataDir`, also where `dataFolderFor` has put them elsewhere. No server may run on them. */
export async function removeDataFolder(dataDir: string): Promise<void> {
  if (isLink(dataDir)) await rm(readlinkSync(dataDir), { recursive: true, force: true, maxRetries: 5 });
  await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
}
