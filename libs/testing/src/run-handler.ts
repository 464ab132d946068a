import type { Job, JobProgress } from '@offload/jobs';
import type { JobDefinition } from '@offload/jobs/definitions';
import type { Outbound } from '@offload/outbound';
import type { Logger } from '@offload/process';
import type { Handler } from '@offload/worker';
import { singleAttempt, type Outcome } from '@offload/worker/single-attempt';
import { pino } from 'pino';
import type { z } from 'zod';
import { testJob } from './test-job.ts';

/** A job type and what does its work. */
export interface Runnable<D extends JobDefinition = JobDefinition> {
  definition: D;
  handler: Handler<D>;
}

export interface RunHandlerOptions {
  /** @default a new one */
  jobId?: string;
  /** Number of this run, from 1. @default 1 */
  attempt?: number;
  /** @default the definition's */
  maxAttempts?: number;
  /** Cancels the job when it fires. */
  cancel?: AbortSignal;
  /** Takes the job from its worker when it fires, as a shutdown does: unfinished, the job is `queued` again. */
  stop?: AbortSignal;
  /** What the handler sends HTTP with. @default one that refuses each request */
  outbound?: Outbound;
}

/** One line that the handler has logged. */
export interface LogLine {
  level: string;
  msg: string;
  [member: string]: unknown;
}

/** How one run of a handler ended, and what it said meanwhile. */
export interface HandlerRun<D extends JobDefinition = JobDefinition> {
  /** `scheduled` runs again after `delayMs`, with an error as a retry, without one as snoozed; `queued` was given back. */
  status: Outcome['status'];
  /** The result as watchers get it, through the schema and JSON; undefined unless the run succeeded. */
  result: z.output<D['result']> | undefined;
  /** Why the job failed, or is tried again. */
  error: { code: string; message: string; attempt: number; stack?: string } | undefined;
  /** Until the next attempt, in milliseconds, of a job that is `scheduled`. */
  delayMs: number | undefined;
  /** Each call of `progress`, with what would be stored of it. */
  progress: JobProgress[];
  log: LogLine[];
}

/**
 * Runs a handler once, as a worker does: the payload goes through JSON and the definition's schema, the timeout of its
 * policy holds, and the result is checked. Needs no server. Never rejects: what the handler throws is in `error`.
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

/** One attempt of a job that was claimed. */
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
