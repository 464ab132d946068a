import { execFileSync, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, lstatSync, mkdirSync, readlinkSync, statSync, symlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** The user that PostgreSQL runs as, since it refuses to run as root. */
export interface Account {
  uid: number;
  gid: number;
  name: string;
}

/** Where root keeps what that user cannot reach, as when the checkout lies under /root. */
export const REACHABLE_FOLDER = '/var/lib/offload';

/**
 * Undefined unless this process is root. Root runs PostgreSQL as the user that owns `dataDir`, else as `postgres`, else
 * as `nobody`: no user is created.
 * @throws Error when this machine has none of them
 */
export function postgresAccount(dataDir: string): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  if (existsSync(dataDir)) {
    const { uid, gid } = statSync(dataDir);
    if (uid !== 0) return { uid, gid, name: `user ${uid}` };
  }
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = [idOf('-u', name), idOf('-g', name)];
    if (uid !== undefined && gid !== undefined) return { uid, gid, name };
  }
  throw new Error(
    'PostgreSQL refuses to run as root, and there is no user "postgres" or "nobody" that it could run as. Ways out: ' +
      'start as another user; or create the user (useradd --system postgres); or set DATABASE_URL to a PostgreSQL elsewhere.',
  );
}

/**
 * Makes a folder for data at `dataDir` that `account` can reach, and returns its real path. Where `account` cannot even
 * enter the folders above it, the data lies under /var/lib/offload and `dataDir` is a symbolic link to there.
 */
export function dataFolderFor(dataDir: string, account: Account | undefined): string {
  if (isLink(dataDir)) {
    const target = readlinkSync(dataDir);
    mkdirSync(dirname(target), { recursive: true });
    return target;
  }
  mkdirSync(dirname(dataDir), { recursive: true });
  if (canEnter(dirname(dataDir), account)) return dataDir;
  const target = join(reachableFolder(), `${randomUUID()}.postgres`);
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

/** Removes the data at `dataDir`, also where `dataFolderFor` has put them elsewhere. No server may run on them. */
export async function removePostgresFolder(dataDir: string): Promise<void> {
  if (isLink(dataDir)) await rm(readlinkSync(dataDir), { recursive: true, force: true });
  await rm(dataDir, { recursive: true, force: true });
}
