import { isFinished, type Snapshot } from '@offload/client';
import { useEffect, useRef, useState } from 'react';
import { watchEvents } from './watch-events.ts';

export interface UseJobOptions<Result = unknown> {
  /** The job as it was seen before: by the server that renders the page, or when it was submitted. @default none */
  initial?: Snapshot<Result> | undefined;
  /** Gets another URL when the browser has given up, as it does once a token has expired. @default none: `error` says so */
  renew?: () => Promise<string>;
}

export interface WatchedJob<Result = unknown> {
  /** The job as it was seen last; undefined before the first time. */
  job: Snapshot<Result> | undefined;
  /** Why nothing more is heard. Undefined again once there is. */
  error: Error | undefined;
}

/**
 * Shows a job as it goes on. A server that renders the page shows `initial`, and opens no stream.
 *
 * @param events URL of the job's stream: `links.events` of the job, or `events` of an event token; undefined while there is no job
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

  const current = seen?.events === events ? seen : undefined; // not the job that was watched before
  return { job: over ? initial : (current?.job ?? initial), error: current?.error };
}
