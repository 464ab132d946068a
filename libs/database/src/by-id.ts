/**
 * SQL: a condition that `job` is one of the rows whose ids the query `ids` names.
 *
 * The statements of this file allow PostgreSQL only one plan: a look-up by the index on id, row for row. A plan that is
 * made for ten jobs is kept and must suit ten million. docs/decisions/0013 explains each part.
 */
export const isOneOf = (job: string, ids: string): string => `${job}.id = any(array(select id from ${ids}))`;

/**
 * SQL: a condition on the status of a job that is looked up by its id, without any index by status.
 *
 * @param job alias of the table
 */
export const hasStatus = (job: string, status: string): string => `coalesce(${job}.status::text, '') = '${status}'`;

/**
 * SQL: the place (`ctid`) of the row of `jobs` with this id, as `place(ctid)`. An update must repeat its conditions on
 * the row, because another transaction may have changed the row meanwhile.
 */
export const placeOf = (id: string): string => `lateral (select ctid from jobs where id = ${id} offset 0) as place`;
