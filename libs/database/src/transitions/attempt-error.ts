/** SQL: the database's time as RFC 3339 text, to the millisecond, for a JSON document. */
export const jsonNow = `to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** SQL: the error of an attempt whose worker is gone. The row needs the columns `attempt` and `loss_note`. */
export const workerLost = `jsonb_build_object('code', 'worker-lost',
  'message', coalesce(case when (loss_note->>'attempt')::int = attempt then loss_note->>'message' end,
    'the worker that ran this attempt is gone'), 'attempt', attempt, 'at', ${jsonNow})`;

/** How many errors of earlier attempts a job keeps at most. */
const MOST_ERRORS = 20;

/** SQL: these errors and one more, of which the newest are kept. */
export const withError = (errors: string, error: string): string => `(case
  when jsonb_array_length(${errors}) < ${MOST_ERRORS} then ${errors}
  else jsonb_path_query_array(${errors}, '$[last - ${MOST_ERRORS - 2} to last]') end || ${error})`;
