import { isFinished, type Snapshot } from '@offload/client';
import { useEffect, useRef, useState } from 'react';
import { watchEvents } from './watch-events.ts';

/** Options of {@link useJob}. */
export interface UseJobOptions<Result = unknown> {
  /** The job as the submission or the rendering server saw it. @default undefined */
  initial?: Snapshot<Result> | undefined;
  /**
   * Gets another URL when the browser has given up, because the token has expired for example.
   * @default none: `error` is set instead
   */
  renew?: () => Promise<string>;
}

/** The state of a watched job. */
export interface WatchedJob<Result = unknown> {
  /** The job as it was seen last; undefined before the first time. */
  job: Snapshot<Result> | undefined;
  /** Why the stream is interrupted; undefined after the next event. */
  error: Error | undefined;
}

/**
 * Watches a job and shows its progress. When a server renders the page, it shows `initial` and opens no stream.
 *
 * @param events URL of the job's event stream: `links.events` of the job, or `events` of an event token; undefined
 *   without a job
 * @example
 * const { job, error } = useJob(submitted?.events);
 */
export function useJob<Result = unknown>(
  events: string | undefined,
  { initial, renew }: UseJobOptions<Result> = {},
): WatchedJob<Result> {
  const [seen, setSeen] = useState<WatchedJob<Result> & { events: string | undefined }>();
  const latest = useRef(renew);
  useEffect(() => void (latest.current = renew));
  const over = initial !== undefined && isFinished(initial);
  const renewable = renew !== undefined;

  useEffect(() => {
    if (events === undefined || over) return;
    return watchEvents(events, {
      onJob: (job) => setSeen({ events, job: job as Snapshot<Result>, error: undefined }),
      onError: (error) =>
        setSeen((before) => ({ events, job: before?.events === events ? before.job : undefined, error })),
      renew: renewable ? () => (latest.current as () => Promise<string>)() : undefined,
    });
  }, [events, over, renewable]);

  const current = seen?.events === events ? seen : undefined; // ignore the job of an earlier URL
  return { job: over ? initial : (current?.job ?? initial), error: current?.error };
}
