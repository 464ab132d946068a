import { createClient, type Client } from '@offload/client';
import { isFinished, type Job } from '@offload/jobs';
import type { JobDefinition } from '@offload/jobs/definitions';
import type { Handler, HandlerContext } from '@offload/worker';
import { runJob } from './run-handler.ts';
import { createTestApi } from './test-api.ts';

/** A job type of a test. Jobs of a type without a handler are never run. */
export interface TestType {
  definition: JobDefinition;
  // A list of several types can't tie each handler to its own payload.
  handler?: (payload: never, context: HandlerContext) => Promise<unknown>;
}

/** Options of {@link createTestOffload}. */
export interface TestOffloadOptions {
  /** Runs a job before its submission is answered. @default false: only `drain` runs jobs */
  inline?: boolean;
}

/** An Offload in the memory of this process, for tests of programs that submit jobs. */
export interface TestOffload {
  /** The client for the program under test. It connects to no server. */
  readonly client: Client;
  /** The jobs as they are now, in the order of their submission. */
  readonly jobs: readonly Job[];
  /**
   * Runs every unfinished job that has a handler, without regard to its due time. It repeats attempts without a pause
   * until the job is finished or snoozes (`SnoozeError`). It also runs jobs that are submitted meanwhile.
   */
  drain(): Promise<void>;
}

/**
 * Makes an Offload for one test. It accepts jobs and checks their payloads as the api does, and stores them in memory.
 * Its client can submit, read, wait and cancel; every other call rejects with OffloadProblem 501.
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
        // A snoozed attempt does not count.
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
