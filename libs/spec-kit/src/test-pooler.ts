import { runServerProgram } from './server-program.ts';

/**
 * When a pooler gives a client's session to another client: when the client has gone, or after each transaction or
 * statement.
 */
export type PoolMode = 'session' | 'transaction' | 'statement';

/** A pooler in front of a test's PostgreSQL. */
export interface TestPooler {
  /** of the database that was given, through the pooler */
  readonly url: string;
  /** ends it */
  remove(): Promise<void>;
}

/**
 * Starts a PgBouncer of a test file's own in front of a PostgreSQL, on 127.0.0.1. It goes, too, when this process ends.
 * @param databaseUrl with user and password; other databases of this server can be reached in the same way
 * @throws Error where it is not installed and can't be (Debian's and Ubuntu's package `pgbouncer`)
 */
export async function startPooler(databaseUrl: string, mode: PoolMode): Promise<TestPooler> {
  const { ask, end } = runServerProgram('test-pooler.ts', 'PgBouncer');
  try {
    return { url: String(await ask('open', databaseUrl, mode)), remove: end };
  } catch (error) {
    await end();
    throw error;
  }
}
