import { runServerProgram } from './server-program.ts';

/**
 * When a pooler gives a client's session to another client: after the client's end, each transaction or each statement.
 */
export type PoolMode = 'session' | 'transaction' | 'statement';

/** A pooler in front of a test's PostgreSQL. */
export interface TestPooler {
  /** URL of the given database through the pooler. */
  readonly url: string;
  /** Ends the pooler. */
  remove(): Promise<void>;
}

/**
 * Starts a PgBouncer for a test file, in front of a PostgreSQL, on 127.0.0.1. It also ends with this process.
 *
 * @param databaseUrl URL with user and password. Other databases of this server work in the same way.
 * @throws Error when PgBouncer is missing and can't be installed (Debian's and Ubuntu's package `pgbouncer`)
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
