import { runServerProgram } from './server-program.ts';

export interface TestPostgresOptions {
  /** server settings by name, such as `max_connections` @default PostgreSQL's own */
  settings?: Record<string, string | number>;
}

/**
 * PostgreSQL's own names: `fast` rolls open transactions back and tells clients; `immediate` ends every process at once, so
 * that the next start recovers as after a crash. What was committed is kept either way.
 */
export type PostgresStopMode = 'fast' | 'immediate';

/** A PostgreSQL of a test file's own. */
export interface TestPostgres {
  /** of its database `postgres`; the user is a superuser */
  readonly url: string;
  /** SIGKILL to the server itself; its backends notice and end. Nothing that was committed is lost. */
  kill(): Promise<void>;
  /** resolves when it no longer listens @default 'fast' */
  stop(mode?: PostgresStopMode): Promise<void>;
  /** starts it again on the same port and data; resolves when it accepts connections */
  start(): Promise<void>;
  /** `stop` and `start` @default 'fast' */
  restart(mode?: PostgresStopMode): Promise<void>;
  /** ends it and deletes its data; every later call but this one is refused */
  remove(): Promise<void>;
}

/**
 * Starts an embedded PostgreSQL that the caller may end and restart, on 127.0.0.1. Takes 2 s: share one within a file, and
 * `remove` it in the end. It goes, too, when this process ends, however that is.
 * @throws Error with the end of the server's log when it does not start
 */
export async function startPostgres({ settings = {} }: TestPostgresOptions = {}): Promise<TestPostgres> {
  const { ask, end } = runServerProgram('test-postgres.ts', 'PostgreSQL');
  const stop = async (mode: PostgresStopMode = 'fast') => void (await ask('stop', mode));
  const start = async () => void (await ask('start'));
  try {
    const url = String(await ask('open', settings));
    return {
      url,
      kill: async () => void (await ask('kill')),
      stop,
      start,
      async restart(mode) {
        await stop(mode);
        await start();
      },
      remove: end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}
