import { runServerProgram } from './server-program.ts';

/** Options of {@link startPostgres}. */
export interface TestPostgresOptions {
  /** Server settings by name, such as `max_connections`. @default PostgreSQL's own */
  settings?: Record<string, string | number>;
}

/**
 * PostgreSQL's stop modes. `fast` rolls open transactions back and closes connections. `immediate` ends every process
 * at once, so the next start recovers as after a crash. Both keep committed data.
 */
export type PostgresStopMode = 'fast' | 'immediate';

/** A PostgreSQL of one test file. */
export interface TestPostgres {
  /** URL of the database `postgres`, with a superuser. */
  readonly url: string;
  /** Ends the server process by SIGKILL; its backends end by themselves. No committed data are lost. */
  kill(): Promise<void>;
  /** Ends it. Resolves when it no longer listens. @default 'fast' */
  stop(mode?: PostgresStopMode): Promise<void>;
  /** Starts it again on the same port and data. Resolves when it accepts connections. */
  start(): Promise<void>;
  /** Calls `stop` and `start`. @default 'fast' */
  restart(mode?: PostgresStopMode): Promise<void>;
  /** Ends it and deletes its data. Every other later call rejects. */
  remove(): Promise<void>;
}

/**
 * Starts an embedded PostgreSQL on 127.0.0.1 that the caller may end and restart. A start takes 2 s: share one in a
 * file, and `remove` it at the end. The server also ends with this process.
 *
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
