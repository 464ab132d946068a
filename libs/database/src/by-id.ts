// PostgreSQL keeps the plan of a prepared statement until the table is analysed again. One that was made while there were ten
// jobs must be good for ten million: these parts of statements leave it no other way than the index by id, row for row;
// so does a lateral subquery that locks, or has an offset, since PostgreSQL makes no join of it.

/** SQL: that `job` is one of those whose ids the query names. */
export const isOneOf = (job: string, ids: string): string => `${job}.id = any(array(select id from ${ids}))`;

/**
 * SQL: a condition on the status of a job that is looked up by its id. No index by status is used for it: that seems the
 * shorter way while few jobs have the status, and leads past the entries of all that had it.
 *
 * @param job alias of the table
 */
export const hasStatus = (job: string, status: string): string => `${job}.status::text = '${status}'`;
