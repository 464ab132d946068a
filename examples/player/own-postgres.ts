import { chmodSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removePostgres, startEmbeddedPostgres, type EmbeddedPostgres } from '@offload/embedded-servers';

/** A PostgreSQL that nobody else uses. It is started when it is needed first. */
export interface OwnPostgres {
  /** @returns the URL of a database that nobody has used, and that is not there yet */
  freshDatabase(): Promise<string>;
  /** Ends it, if it runs, and removes what it has stored. */
  remove(): Promise<void>;
}

/** @param abort gives up a start that is under way */
export function ownPostgres(abort: AbortSignal): OwnPostgres {
  let databases = 0;
  let starting: Promise<EmbeddedPostgres> | undefined;
  let folder: string | undefined;
  const forget = (): void => {
    if (folder) rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };

  function start(): Promise<EmbeddedPostgres> {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'offload-examples-')));
    chmodSync(folder, 0o711); // as root, PostgreSQL runs as another user, who has to come through here
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
      const server = await starting?.catch(() => undefined); // whoever wanted it has heard why it did not start
      await server?.stop();
      await removePostgres(join(folder, 'postgres'));
      forget();
      process.off('exit', forget);
    },
  };
}
