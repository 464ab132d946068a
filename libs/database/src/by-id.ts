// PostgreSQL keeps the plan of a prepared statement until the table is analysed again. One that was made while there were ten
// jobs must be good for ten million: these parts of statements leave it no other way than the index by id, row for row;
// so does a lateral subquery that locks, or has an offset, since PostgreSQL makes no join of it. A row that such a one has
// found is found again at its place, its ctid: for that there is no index at all.

/** SQL: that `job` is one of those whose ids the query names. */
export const isOneOf = (job: string, ids: string): string => `${job}.id = any(array(select id from ${ids}))`;

/**
 * SQL: a condition on the status of a job that is looked up by its id. No index by status is used for it: that seems the
 * shorter way while few jobs have the status, and leads past the entries of all that had it. Nor is one whose condition this
 * would imply, that there is a status.
 *
 * @param job alias of the table
 */
export const hasStatus = (job: string, status: string): string => `coalesce(${job}.status::text, '') = '${status}'`;

/**
 * SQL: the row of `jobs` whose id is given, as `place(ctid)`. What an update by that place asks of the row itself is asked again
 * of the row as it is when another has changed it meanwhile; such a row is left out, or updated, as the version of PostgreSQL
 * will have it.
 */
export const placeOf = (id: string): string => `lateral (select ctid from jobs where id = ${id} offset 0) as place`;
