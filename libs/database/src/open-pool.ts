import pg from 'pg';
import { rowTypes } from './row-types.ts';
import { isRefused, UnusableDatabaseError } from './unavailable.ts';

export interface PoolOptions {
  url: string;
  /** Most connections. */
  size: number;
  /** A statement, or waiting for a connection, may take this long, in milliseconds. */
  timeoutMs: number;
  /** A statement may wait so long for a lock, in milliseconds; 0 for as long as it may take. */
  lockTimeoutMs: number;
  /** Told each time a connection shows that the database can never be used, or that the server does not let us in. */
  onUnusable?: ((error: UnusableDatabaseError) => void) | undefined;
}

/**
 * What statements and the reading of rows rely on, however the server, the database or the role is set up.
 *
 * No table is gone through from end to end, however small it is when a statement is first prepared: see by-id.ts. Where
 * there is no index PostgreSQL still does, and until version 18 takes that for so dear that it would compile the
 * statement: half a second for what takes one millisecond. Prisma reads all times as UTC, so the session's time zone
 * must be that.
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
 * A pool of connections to PostgreSQL, direct or through a pooler; it connects when it is first used. Every statement
 * finds the settings it needs. A connection on which a statement fails is replaced.
 *
 * A connection through a pooler (PgBouncer, say) may have another session for every transaction, and others have it
 * afterwards: nothing is set or prepared for longer than a transaction there, and each statement is one.
 *
 * A server that does not let us in makes the database unusable, until it has let us in for the first time. From then on its refusals
 * may pass: its settings are being changed, say.
 */
export function openPool({ url, size, timeoutMs, lockTimeoutMs, onUnusable }: PoolOptions): pg.Pool {
  const limits = { timeoutMs, lockTimeoutMs };
  let letIn = false;

  function notConnected(error: Error): void {
    if (letIn || !isRefused(error)) return;
    onUnusable?.(new UnusableDatabaseError(`the database does not let us in: ${error.message}`, { cause: error }));
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
    // The server's own limit may never reach us over a dead connection.
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
      `Make another: create database … encoding 'UTF8' locale 'C' template template0`,
  );
}

/** PostgreSQL tells each client which process serves it. A pooler makes that number up, since the process changes. */
async function isThroughPooler(client: pg.ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  return rows[0]?.pid !== (client as unknown as { processID: number | null }).processID;
}

/**
 * PgBouncer in statement mode refuses `begin` and would run the statement behind it all the same.
 *
 * @returns why the pooler cannot be used, or null
 */
async function transactionFault(client: pg.ClientBase): Promise<UnusableDatabaseError | null> {
  try {
    await client.query('begin'); // by itself: PgBouncer lets both together through
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

/** Makes each statement of this client a transaction with settings of its own, in one round trip. */
function leaveNothingBehind(client: pg.ClientBase, setLocal: string): void {
  const send = client.query.bind(client) as Send;
  const begin = `begin ${isolation}; ${setLocal}`;

  async function query(config: string | pg.QueryConfig, values?: unknown): Promise<pg.QueryResult> {
    // A text alone begins or ends a transaction, or asks for nothing that a setting changes.
    if (typeof config === 'string' && values === undefined) {
      return send(config.startsWith('begin') ? `${config}; ${setLocal}` : config);
    }
    const unnamed = typeof config === 'string' ? { text: config, values } : { ...config, name: undefined };
    if (client.getTransactionStatus() === 'T') return send(unnamed);
    const [, result] = await Promise.all([send(begin), send(unnamed), send('commit')]);
    return result;
  }

  Object.assign(client, {
    pipeline: true, // does not wait for an answer before it sends the next query
    query(config: string | pg.QueryConfig, values?: unknown, callback?: Callback) {
      const answer = query(config, values);
      if (!callback) return answer;
      return void answer.then((result) => callback(null, result), callback);
    },
  });
}
