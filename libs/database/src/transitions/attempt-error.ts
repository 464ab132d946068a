/** SQL: the database's time as RFC 3339 text, to the millisecond, for a member of a JSON document. */
export const jsonNow = `to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** SQL: what is kept of an attempt whose worker is gone, of a row with a column `attempt`. */
export const workerLost = `jsonb_build_object('code', 'worker-lost',
  'message', 'the worker that ran this attempt is gone', 'attempt', attempt, 'at', ${jsonNow})`;
