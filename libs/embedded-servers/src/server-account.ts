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

/** The user that a server runs as if this process is root: no server runs as root. */
export interface Account {
  uid: number;
  gid: number;
  name: string;
}

/** Folder for data that this user cannot reach in their own place, for example when the checkout lies under /root. */
export const REACHABLE_FOLDER = '/var/lib/offload';

/** The names of the servers. The keys are the users that their packages create. */
const SERVERS = { postgres: 'PostgreSQL', rabbitmq: 'RabbitMQ' } as const;

/**
 * Chooses the account of a server; undefined unless this process is root. Root uses the owner of `dataDir`, or else the
 * user of the server's package, or else the system user `nobody`. No user is created.
 *
 * @throws Error when this machine has none of these users
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
    `${SERVERS[server]} must not run as root, and there is no user "${server}" or "nobody" that it could run as. ` +
      `Start as another user, or create the user (useradd --system ${server}), or set ` +
      `${server === 'postgres' ? 'DATABASE_URL' : 'AMQP_URL'} to a ${SERVERS[server]} elsewhere.`,
  );
}

/**
 * The real path of the data at `dataDir`, in a place that `account` can reach. If `account` cannot enter the folders
 * above it, the data lie under /var/lib/offload, and `dataDir` is a symbolic link to them. Existing data are moved.
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

/** Makes /var/lib/offload, which every user may enter. */
export function reachableFolder(): string {
  mkdirSync(REACHABLE_FOLDER, { recursive: true });
  chmodSync(REACHABLE_FOLDER, 0o755);
  return REACHABLE_FOLDER;
}

/** Whether `account` may enter `folder`, as the operating system says. */
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

/** Makes `account` the owner of a folder with its contents, unless it is already. */
export function giveTo(account: Account | undefined, folder: string): void {
  if (account === undefined || statSync(folder).uid === account.uid) return;
  execFileSync('chown', ['-R', `${account.uid}:${account.gid}`, folder]);
}

/** Removes the data at `dataDir`, also where `dataFolderFor` has moved them. No server may run on them. */
export async function removeDataFolder(dataDir: string): Promise<void> {
  if (isLink(dataDir)) await rm(readlinkSync(dataDir), { recursive: true, force: true, maxRetries: 5 });
  await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
}
