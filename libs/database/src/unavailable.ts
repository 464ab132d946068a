/**
 * PostgreSQL can't be reached, or can't do the call now: the same call works later. It may lack time, locks,
 * connections or room. It may be starting, stopping, read-only, or in the middle of a migration. The `cause` is the
 * original error, the `code` `database-unavailable`.
 */
export class DatabaseUnavailableError extends Error {
  override name = 'DatabaseUnavailableError';
  readonly code = 'database-unavailable';

  constructor(options?: ErrorOptions) {
    const { message } = (options?.cause ?? {}) as { message?: string };
    super(`the database is not available${message ? `: ${message}` : ''}`, options);
  }
}

const UNUSABLE = 'database-unusable';

/** The database can never be used. The message says why, and what to do. The `code` is `database-unusable`. */
export class UnusableDatabaseError extends Error {
  override name = 'UnusableDatabaseError';
  readonly code = UNUSABLE;
}

// SQLSTATE classes of faults in the data, for which the same call fails again: cardinality violation, data exception,
// integrity constraint violation, and program limits such as JSON that is nested too deeply.
// https://www.postgresql.org/docs/current/errcodes-appendix.html
//
// Every other fault may pass. That includes prepared statements that are gone or whose result type has changed, because
// the pool replaces a connection whose statement has failed.
const dataAtFault = /^(21|22|23|54)\w{3}$/;
/**
 * Codes of the operating system for sockets and names, such as `ECONNREFUSED` and `EAI_AGAIN`, and none of Node.js's
 * own, such as `ERR_INVALID_ARG_TYPE`.
 */
const systemCodes = /^E(?!RR_)[A-Z0-9_]+$/;
// Messages of the pool and the client that have no code.
const unavailableMessages =
  /Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|not queryable|Cannot use a pool after calling end/i;
// Kinds under which Prisma's adapter reports some of these.
// https://www.prisma.io/docs/orm/overview/databases/database-drivers
const unavailableKinds = /^(DatabaseNotReachable|ConnectionClosed|SocketTimeout|TlsConnectionError)$/;

/** Also examines wrapped errors: Prisma hides PostgreSQL's own code in `meta.driverAdapterError.cause`. */
function isUnavailable(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const { code, severity, originalCode, kind, message, cause, errors, meta } = error as Record<string, unknown>;
  if (code === UNUSABLE) return true; // an operator may replace the database
  const sqlState = typeof severity === 'string' ? code : originalCode;
  if (typeof sqlState === 'string') return !dataAtFault.test(sqlState);
  return (
    (typeof code === 'string' && systemCodes.test(code)) ||
    (typeof kind === 'string' && unavailableKinds.test(kind)) ||
    (typeof message === 'string' && unavailableMessages.test(message)) ||
    isUnavailable(cause) ||
    isUnavailable((meta as Record<string, unknown> | undefined)?.['driverAdapterError']) ||
    (Array.isArray(errors) && errors.some(isUnavailable))
  );
}

// A wrong user or password, a database that is not there, a schema or a right that the user lacks.
const refusals = /^(28\w{3}|3D000|3F000|42501)$/;

/** Whether PostgreSQL does not let a user in, or not do its work, for a reason that no waiting mends. */
export function isRefused(error: unknown): error is Error {
  const { severity, code, message } = Object(error) as Record<string, unknown>;
  if (typeof severity === 'string') return refusals.test(String(code));
  return /client password must be/.test(String(message)); // pg's own word: the server asks for one, and there is none
}

// lock_timeout, statement_timeout and transaction_timeout: the server has undone the statement.
const heldUpCodes = /^(55P03|57014|25P04)$/;

/** Whether a statement did nothing because it waited too long, mostly for a lock. */
export function isHeldUp(error: unknown): boolean {
  if (!(error instanceof DatabaseUnavailableError)) return false;
  const { code } = (error.cause ?? {}) as { code?: unknown };
  return typeof code === 'string' && heldUpCodes.test(code);
}

/**
 * Runs `operation`, and turns every fault that can pass into {@link DatabaseUnavailableError}. Other errors pass
 * unchanged.
 */
export async function orUnavailable<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw isUnavailable(error) ? new DatabaseUnavailableError({ cause: error }) : error;
  }
}
