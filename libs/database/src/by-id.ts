/**
 * SQL: a condition on the status of jobs that are looked up by their ids. Written so that no index by status is used for it:
 * PostgreSQL takes that for the shorter way when few jobs have the status, and goes past the entries of all that had it.
 *
 * @param job alias of the table
 */
export const hasStatus = (job: string, status: string): string => `${job}.status::text = '${status}'`;
