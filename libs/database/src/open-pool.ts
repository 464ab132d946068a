import pg from 'pg';
import { rowTypes } from './row-types.ts';
import { isRefused, UnusableDatabaseError } from './unavailable.ts';

/** How {@link openPool} connects. */
export interface PoolOptions {
  url: string;
  /** Most connections. */
  size: number;
  /** How long a statement, or the wait for a connection, may take, in milliseconds. */
  timeoutMs: number;
  /** How long a statement may wait for a lock, in milliseconds; 0 means no limit of its own. */
  lockTimeoutMs: number;
  /** Is called each time a connection shows that the database can never be used, or that it refuses the login. */
  onUnusable?: ((error: UnusableDatabaseError) => void) | undefined;
}

/**
 * Settings that statements and the reading of rows rely on. They override those of the server, the database and the
 * role.
 *
 * docs/decisions/0013 explains `enable_seqscan` and `jit`. Prisma reads all times as UTC, so `timezone` must be UTC.
 */
const settings = {
  array_nulls: 'on',
  datestyle: 'ISO, MDY',
  enable_seqscan: 'off',
  extra_float_digits: '1',
  jit: 'off',
  standard_conforming_strings: 'on',
  timezone: 'UTC',
};
const isolation = 'isolation level read committed';

type Limits = Pick<PoolOptions, 'timeoutMs' | 'lockTimeoutMs'>;

function set(scope: 'local' | 'session', { timeoutMs, lockTimeoutMs }: Limits): string {
  const limits = {
    statement_timeout: String(timeoutMs),
    ...(lockTimeoutMs && { lock_timeout: String(lockTimeoutMs) }),
  };
  const all = Object.entries({ ...settings, ...limits });
  return all.map(([name, value]) => `set ${scope} ${name} = '${value}'`).join('; ');
}

/**
 * Opens a pool of connections to PostgreSQL, direct or through a pooler. It connects at the first query. Each statement
 * has the settings that it needs. A connection whose statement fails is replaced.
 *
 * Behind a pooler such as PgBouncer, each transaction may run in another session that other clients use later. So there
 * each statement is a transaction, and no setting or prepared statement outlives it.
 *
 * A server that refuses the login makes the database unusable, until it has accepted a login once. Later refusals may pass: an operator
 * may be changing the server's settings.
 */
export function openPool({ url, size, timeoutMs, lockTimeoutMs, onUnusable }: PoolOptions): pg.Pool {
  const limits = { timeoutMs, lockTimeoutMs };
  let letIn = false;

  function notConnected(error: Error): void {
    if (letIn || !isRefused(error)) return;
    onUnusable?.(new UnusableDatabaseError(`the database refused the connection: ${error.message}`, { cause: error }));
  }

  async function prepareSession(client: pg.ClientBase): Promise<void> {
    letIn = true;
    const reason = await unusableBecause(client);
    if (reason) {
      onUnusable?.(reason);
      throw reason;
    }
    if (await isThroughPooler(client)) {
      const fault = await transactionFault(client);
      if (fault) {
        onUnusable?.(fault);
        throw fault;
      }
      return leaveNothingBehind(client, set('local', limits));
    }
    await client.query(`${set('session', limits)}; set session characteristics as transaction ${isolation}`);
  }

  return new pg.Pool({
    Client: clientThatTells(notConnected),
    connectionString: url,
    max: size,
    connectionTimeoutMillis: timeoutMs,
    // The server's own timeout may never arrive over a dead connection.
    query_timeout: 2 * timeoutMs,
    keepAlive: true,
    types: rowTypes,
    onConnect: prepareSession,
  });
}

/** A client that tells why it can't connect, before those who wait for the connection hear of it. */
function clientThatTells(tell: (error: Error) => void): typeof pg.Client {
  return class extends pg.Client {
    override connect(callback?: (...outcome: never[]) => void): Promise<pg.Client> {
      const done = callback as ((error: Error | null) => void) | undefined;
      const connected = super.connect();
      connected.then(
        () => done?.(null),
        (error: Error) => {
          tell(error);
          void this.end().catch(() => undefined); // pg leaves it open where it finds fault with the password itself
          done?.(error);
        },
      );
      return connected;
    }
  };
}

/** @returns why no setting can make the database usable, or null */
export async function unusableBecause(client: pg.ClientBase): Promise<UnusableDatabaseError | null> {
  const { rows } = await client.query<{ encoding: string; name: string }>(
    'select getdatabaseencoding() as encoding, current_database() as name',
  );
  const [{ encoding, name }] = rows as [(typeof rows)[0]];
  if (encoding === 'UTF8') return null;
  return new UnusableDatabaseError(
    `the database "${name}" has the encoding ${encoding} and needs UTF8. ` +
      `Create another: create database … encoding 'UTF8' locale 'C' template template0`,
  );
}

/**
 * PostgreSQL tells each client the id of its server process. A pooler invents that number, because the process changes.
 */
async function isThroughPooler(client: pg.ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  return rows[0]?.pid !== (client as unknown as { processID: number | null }).processID;
}

/**
 * PgBouncer in statement mode refuses `begin`, but still runs the statement after it.
 *
 * @returns why the pooler can't be used, or null
 */
async function transactionFault(client: pg.ClientBase): Promise<UnusableDatabaseError | null> {
  try {
    await client.query('begin'); // sent alone: PgBouncer allows both in one query
    await client.query('commit');
    return null;
  } catch (error) {
    if (!/statement pooling/.test((error as Error).message)) throw error;
    return new UnusableDatabaseError(
      'the pooler in front of the database allows no transactions: set its pool_mode to transaction or session',
    );
  }
}

type Send = (config: unknown, values?: unknown) => Promise<pg.QueryResult>;
type Callback = (error: Error | null, result?: pg.QueryResult) => void;

/** Makes each statement of this client a transaction with its own settings, in one round trip. */
function leaveNothingBehind(client: pg.ClientBase, setLocal: string): void {
  const send = client.query.bind(client) as Send;
  const begin = `begin ${isolation}; ${setLocal}`;

  async function query(config: string | pg.QueryConfig, values?: unknown): Promise<pg.QueryResult> {
    // A plain text begins or ends a transaction, or does not depend on the settings.
    if (typeof config === 'string' && values === undefined) {
      return send(config.startsWith('begin') ? `${config}; ${setLocal}` : config);
    }
    const unnamed = typeof config === 'string' ? { text: config, values } : { ...config, name: undefined };
    if (client.getTransactionStatus() === 'T') return send(unnamed);
    const [, result] = await Promise.all([send(begin), send(unnamed), send('commit')]);
    return result;
  }

  Object.assign(client, {
    pipeline: true, // sends the next query without waiting for an answer
    query(config: string | pg.QueryConfig, values?: unknown, callback?: Callback) {
      const answer = query(config, values);
      if (!callback) return answer;
      return void answer.then((result) => callback(null, result), callback);
    },
  });
}
