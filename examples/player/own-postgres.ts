import { chmodSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removePostgres, startEmbeddedPostgres, type EmbeddedPostgres } from '@offload/embedded-servers';

/** A PostgreSQL of the player. It starts when it is first needed. */
export interface OwnPostgres {
  /** @returns the URL of a new database, which migrations create */
  freshDatabase(): Promise<string>;
  /** Ends it, if it runs, and removes its data. */
  remove(): Promise<void>;
}

/** @param abort cancels a running start */
export function ownPostgres(abort: AbortSignal): OwnPostgres {
  let databases = 0;
  let starting: Promise<EmbeddedPostgres> | undefined;
  let folder: string | undefined;
  const forget = (): void => {
    if (folder) rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };

  function start(): Promise<EmbeddedPostgres> {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'offload-examples-')));
    chmodSync(folder, 0o711); // started by root, PostgreSQL runs as another user, who must enter this folder
    process.on('exit', forget);
    return startEmbeddedPostgres({ dataDir: join(folder, 'postgres'), abort, log: () => undefined });
  }

  return {
    async freshDatabase() {
      const url = new URL((await (starting ??= start())).url);
      url.pathname = `/lesson_${(databases += 1)}`;
      return url.href;
    },
    async remove() {
      if (!folder) return;
      const server = await starting?.catch(() => undefined); // the caller of freshDatabase has got the error
      await server?.stop();
      await removePostgres(join(folder, 'postgres'));
      forget();
      process.off('exit', forget);
    },
  };
}
