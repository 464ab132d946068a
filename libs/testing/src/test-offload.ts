import { createClient, type Client } from '@offload/client';
import { isFinished, type Job } from '@offload/jobs';
import type { JobDefinition } from '@offload/jobs/definitions';
import type { Handler, HandlerContext } from '@offload/worker';
import { runJob } from './run-handler.ts';
import { createTestApi } from './test-api.ts';

/** A job type that jobs can be submitted of; one without a handler is never run. */
export interface TestType {
  definition: JobDefinition;
  // Its definition ties a handler to its payload; a list of several can't say so.
  handler?: (payload: never, context: HandlerContext) => Promise<unknown>;
}

export interface TestOffloadOptions {
  /** Runs a job before its submission is answered. @default false: only `drain` runs jobs */
  inline?: boolean;
}

/** An Offload in the memory of this process: for tests of programs that submit jobs. */
export interface TestOffload {
  /** To be given to the program under test. It talks to no server. */
  readonly client: Client;
  /** The jobs as they are now, in the order of their submission. */
  readonly jobs: readonly Job[];
  /**
   * Runs every unfinished job that has a handler, whenever it is due: attempt after attempt without a pause, until it is
   * finished or puts itself off (`SnoozeError`). Jobs that are submitted meanwhile are run, too.
   */
  drain(): Promise<void>;
}

/**
 * Takes jobs as the api does, checks their payloads, and keeps them here. Its client can submit, look, wait and cancel;
 * another call rejects with OffloadProblem 501.
 *
 * @example
 * const offload = createTestOffload([{ definition: imageResize, handler }], { inline: true });
 * await uploadAvatar(offload.client, 'a.png');
 * assertSubmitted(offload, imageResize, { path: 'a.png' });
 */
export function createTestOffload(
  types: readonly TestType[],
  { inline = false }: TestOffloadOptions = {},
): TestOffload {
  const byType = new Map(types.map((each) => [each.definition.type, each]));
  const jobs: Job[] = [];

  function update(job: Job, members: Partial<Job>): Job {
    const at = jobs.findIndex(({ id }) => id === job.id);
    return (jobs[at] = { ...(jobs[at] as Job), ...members, version: job.version + 1 });
  }

  async function runOut(given: Job): Promise<void> {
    const { definition, handler } = byType.get(given.type) as TestType;
    if (!handler) return;
    let job = given;
    for (let again = true; again;) {
      const startedAt = new Date().toISOString();
      job = update(job, { status: 'running', attempt: job.attempt + 1, startedAt });
      const run = await runJob({ definition, handler: handler as Handler<JobDefinition> }, job);
      const at = new Date().toISOString();
      const error = run.error ? { ...run.error, at } : null;
      const ended = isFinished(run.status);
      again = run.status === 'scheduled' && error !== null;
      job = update(job, {
        status: run.status,
        result: run.result ?? null,
        error: ended ? error : null,
        errors: error && !ended ? [...job.errors, error] : job.errors,
        progress: run.progress.at(-1) ?? job.progress,
        // A snoozed attempt is not used up.
        maxAttempts: run.status === 'scheduled' && !error ? job.maxAttempts + 1 : job.maxAttempts,
        finishedAt: ended ? at : null,
        durationMs: ended ? Date.parse(at) - Date.parse(startedAt) : null,
      });
    }
  }

  const fetch = createTestApi({
    findDefinition: (type) => byType.get(type)?.definition,
    jobs,
    async add(job) {
      jobs.push(job);
      if (inline) await runOut(job);
    },
    cancel: (job) => update(job, { status: 'cancelled', finishedAt: new Date().toISOString() }),
  });
  return {
    client: createClient({ baseUrl: 'http://offload.test', fetch, maxAttempts: 1 }),
    jobs,
    async drain() {
      const run = new Set<string>();
      for (const { id } of jobs) {
        const job = jobs.find((each) => each.id === id) as Job;
        if (!isFinished(job.status) && job.status !== 'running' && !run.has(id)) await runOut(job);
        run.add(id);
      }
    },
  };
}
