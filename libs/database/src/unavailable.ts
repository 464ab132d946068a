/** PostgreSQL can't be reached, is starting or stopping, or lacks time, connections or room: try again later. */
export class DatabaseUnavailableError extends Error {
  override name = 'DatabaseUnavailableError';
  readonly code = 'database-unavailable';

  constructor(options?: ErrorOptions) {
    const { message } = (options?.cause ?? {}) as { message?: string };
    super(`the database is not available${message ? `: ${message}` : ''}`, options);
  }
}

// https://www.postgresql.org/docs/current/errcodes-appendix.html: class 08 (connection exception), class 53
// (insufficient resources: connections, memory, disk), class 57P (admin_shutdown, crash_shutdown, cannot_connect_now,
// database_dropped), query_canceled (by statement_timeout), read_only_sql_transaction (a standby after a failover),
// class 28 (a password that is being changed), 40 (deadlock, serialisation), insufficient_privilege, undefined_table and
// undefined_column (a migration that has yet to run), 58 and XX (its disk, its own faults); then what the socket reports.
// None of them says that the job is at fault, and all of them can pass.
const unavailableCodes =
  /^(08\w{3}|53\w{3}|57P0\d|57014|25006|28\w{3}|40\w{3}|42501|42P01|42703|58\w{3}|XX\w{3}|E(CONNREFUSED|CONNRESET|CONNABORTED|PIPE|TIMEDOUT|HOSTUNREACH|HOSTDOWN|NETUNREACH|AI_AGAIN|NOTFOUND))$/;
// What the pool and the client report without a code.
const unavailableMessages =
  /Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|not queryable|Cannot use a pool after calling end/i;
// What Prisma's adapter makes of some of these: https://www.prisma.io/docs/orm/overview/databases/database-drivers
const unavailableKinds = /^(DatabaseNotReachable|ConnectionClosed|SocketTimeout|TooManyConnections)$/;

/** Looks into what an error wraps too: Prisma's hide PostgreSQL's own code in `meta.driverAdapterError.cause`. */
function isUnavailable(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const { code, originalCode, kind, message, cause, errors, meta } = error as Record<string, unknown>;
  return (
    [code, originalCode].some((each) => typeof each === 'string' && unavailableCodes.test(each)) ||
    (typeof kind === 'string' && unavailableKinds.test(kind)) ||
    (typeof message === 'string' && unavailableMessages.test(message)) ||
    isUnavailable(cause) ||
    isUnavailable((meta as Record<string, unknown> | undefined)?.['driverAdapterError']) ||
    (Array.isArray(errors) && errors.some(isUnavailable))
  );
}

/** Runs `operation` and turns every way in which PostgreSQL can be away into {@link DatabaseUnavailableError}. */
export async function orUnavailable<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw isUnavailable(error) ? new DatabaseUnavailableError({ cause: error }) : error;
  }
}
