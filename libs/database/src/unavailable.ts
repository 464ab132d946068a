/** PostgreSQL can't be reached, is starting or stopping, or has no connection to spare: try again later. */
export class DatabaseUnavailableError extends Error {
  override name = 'DatabaseUnavailableError';
  readonly code = 'database-unavailable';

  constructor(options?: ErrorOptions) {
    super('the database is not available', options);
  }
}

// https://www.postgresql.org/docs/current/errcodes-appendix.html: class 08 (connection exception), class 57P
// (admin_shutdown, crash_shutdown, cannot_connect_now, database_dropped), too_many_connections; then what the socket
// and the pool themselves report.
const unavailableCodes =
  /^(08\w{3}|57P0\d|53300|E(CONNREFUSED|CONNRESET|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH|AI_AGAIN|NOTFOUND))$/;
const unavailableMessages =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|not queryable|Cannot use a pool after calling end/i;

function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, cause, errors } = error as Error & { code?: unknown; errors?: unknown[] };
  return (
    (typeof code === 'string' && unavailableCodes.test(code)) ||
    unavailableMessages.test(error.message) ||
    isUnavailable(cause) ||
    (errors?.some(isUnavailable) ?? false)
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
