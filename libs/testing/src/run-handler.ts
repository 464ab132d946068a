import type { Job, JobProgress } from '@offload/jobs';
import type { JobDefinition } from '@offload/jobs/definitions';
import type { Outbound } from '@offload/outbound';
import type { Logger } from '@offload/process';
import type { Handler } from '@offload/worker';
import { singleAttempt, type Outcome } from '@offload/worker/single-attempt';
import { pino } from 'pino';
import type { z } from 'zod';
import { testJob } from './test-job.ts';

/** A job definition with its handler. */
export interface Runnable<D extends JobDefinition = JobDefinition> {
  definition: D;
  handler: Handler<D>;
}

/** Options of {@link runHandler}. */
export interface RunHandlerOptions {
  /** @default a new UUID */
  jobId?: string;
  /** Number of this attempt, from 1. @default 1 */
  attempt?: number;
  /** @default the definition's */
  maxAttempts?: number;
  /** Cancels the job when the signal fires. */
  cancel?: AbortSignal;
  /** Ends the attempt like a shutdown when the signal fires: an unfinished job is `queued` again. */
  stop?: AbortSignal;
  /** Sends the handler's HTTP requests. @default an outbound that refuses each request */
  outbound?: Outbound;
}

/** One line of the handler's log. */
export interface LogLine {
  level: string;
  msg: string;
  [member: string]: unknown;
}

/** The outcome of one attempt, with its progress and log. */
export interface HandlerRun<D extends JobDefinition = JobDefinition> {
  /**
   * The job's next status. `scheduled` means another attempt after `delayMs`: a retry if there is an `error`, otherwise
   * a snooze. `queued` means that the job was requeued.
   */
  status: Outcome['status'];
  /** The result after the schema and JSON, as watchers get it; undefined unless the attempt succeeded. */
  result: z.output<D['result']> | undefined;
  /** Why the job failed or is retried; undefined otherwise. */
  error: { code: string; message: string; attempt: number; stack?: string } | undefined;
  /** Milliseconds until the next attempt of a `scheduled` job; undefined otherwise. */
  delayMs: number | undefined;
  /** Each call of `progress`, as it would be stored. */
  progress: JobProgress[];
  log: LogLine[];
}

/**
 * Runs a handler once, as a worker does: the payload goes through JSON and the definition's schema, the timeout of its
 * policy applies, and the result is checked. It needs no server. It never rejects: `error` has the handler's error.
 *
 * @example
 * const run = await runHandler({ definition: imageResize, handler }, { path: 'a.png', width: 10 });
 * assert.deepEqual(run.result, { path: 'a-10.png', bytes: 123 });
 */
export function runHandler<D extends JobDefinition>(
  { definition, handler }: Runnable<D>,
  payload: z.input<D['payload']>,
  { jobId, attempt = 1, maxAttempts, ...options }: RunHandlerOptions = {},
): Promise<HandlerRun<D>> {
  const members = { attempt, status: 'running' as const, startedAt: new Date().toISOString() };
  const job = testJob(definition, payload, {
    ...members,
    ...(jobId && { id: jobId }),
    ...(maxAttempts && { maxAttempts }),
  });
  return runJob({ definition, handler }, job, options);
}

/** Runs one attempt of a claimed job. */
export async function runJob<D extends JobDefinition>(
  { definition, handler }: Runnable<D>,
  job: Job,
  { cancel, stop, outbound = refusing }: Pick<RunHandlerOptions, 'cancel' | 'stop' | 'outbound'> = {},
): Promise<HandlerRun<D>> {
  const progress: JobProgress[] = [];
  const log: LogLine[] = [];
  const outcome = await singleAttempt({
    definition,
    handler: handler as Handler<JobDefinition>, // its definition is beside it
    job,
    log: loggerInto(log, job),
    outbound,
    cancel,
    stop,
    onProgress: (each) => void progress.push(each),
  });
  const succeeded = outcome.status === 'succeeded';
  return {
    status: outcome.status,
    result: succeeded ? (JSON.parse(outcome.json ?? 'null') as z.output<D['result']>) : undefined,
    error: ('error' in outcome && outcome.error) || undefined,
    delayMs: 'delayMs' in outcome ? outcome.delayMs : undefined,
    progress,
    log,
  };
}

function loggerInto(lines: LogLine[], { id: jobId, type, attempt }: Job): Logger {
  const options = { level: 'trace', base: { jobId, type, attempt }, timestamp: false };
  const formatters = { level: (level: string) => ({ level }) };
  return pino({ ...options, formatters }, { write: (line: string) => void lines.push(JSON.parse(line) as LogLine) });
}

const refusing: Outbound = {
  allowPrivateTargets: false,
  request: ({ url }) => Promise.reject(new Error(`no test sends HTTP to ${url}: give runHandler an outbound`)),
  close: () => Promise.resolve(),
};
