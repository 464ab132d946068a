/**
 * PostgreSQL can't be reached, or does not do now what it is asked for: it lacks time, locks, connections or room,
 * starts or stops, may not write, or has a schema that a migration is changing. The same call works later.
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

/** The database can never do what it is needed for. The message says why, and what to do. */
export class UnusableDatabaseError extends Error {
  override name = 'UnusableDatabaseError';
  readonly code = UNUSABLE;
}

// Classes of https://www.postgresql.org/docs/current/errcodes-appendix.html where the data are at fault, so that the
// same call fails again: cardinality violation, data exception, integrity constraint violation, and program limits
// (JSON that is nested too deeply, a key too long for its index). All else passes without another call: also a
// statement that is not prepared any more, or whose result type has changed, since the pool replaces a connection on
// which a statement has failed.
const dataAtFault = /^(21|22|23|54)\w{3}$/;
/**
 * What the system reports of sockets and names: `ECONNREFUSED`, `EAI_AGAIN`; not Node.js's own `ERR_INVALID_ARG_TYPE`.
 */
const systemCodes = /^E(?!RR_)[A-Z0-9_]+$/;
// What the pool and the client report without a code.
const unavailableMessages =
  /Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|not queryable|Cannot use a pool after calling end/i;
// What Prisma's adapter makes of some of these: https://www.prisma.io/docs/orm/overview/databases/database-drivers
const unavailableKinds = /^(DatabaseNotReachable|ConnectionClosed|SocketTimeout|TlsConnectionError)$/;

/** Looks into what an error wraps too: Prisma's hide PostgreSQL's own code in `meta.driverAdapterError.cause`. */
function isUnavailable(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const { code, severity, originalCode, kind, message, cause, errors, meta } = error as Record<string, unknown>;
  if (code === UNUSABLE) return true; // it may be replaced
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

/** Whether a statement did nothing since it had to wait too long, for a lock in most cases. */
export function isHeldUp(error: unknown): boolean {
  if (!(error instanceof DatabaseUnavailableError)) return false;
  const { code } = (error.cause ?? {}) as { code?: unknown };
  return typeof code === 'string' && heldUpCodes.test(code);
}

/** Runs `operation` and turns every fault that can pass into {@link DatabaseUnavailableError}. */
export async function orUnavailable<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw isUnavailable(error) ? new DatabaseUnavailableError({ cause: error }) : error;
  }
}
