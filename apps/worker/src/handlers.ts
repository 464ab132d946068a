import { type JobDefinition } from '@offload/jobs/definitions';
import { jobDefinitions, type JobDefinitions, type JobName } from '@offload/jobs/job-types';
import { handle, type Handler, type RunnableType } from '@offload/worker';
import { closeProfilePool } from './handlers/csv.profile.pool.ts';
import * as registry from './handlers/index.ts';

/** One handler for each job definition, under the same name: a missing or misnamed one is a compile error. */
const handlers: { [Name in JobName]: Handler<JobDefinitions[Name]> } = registry;

const names = Object.keys(jobDefinitions) as JobName[];

const missing = names.filter((name) => typeof handlers[name] !== 'function');
if (missing.length > 0) throw new Error(`no handler for ${missing.join(', ')}: see docs/adding-a-job.md`);

/** The job types that come with Offload. */
export const runnableTypes: RunnableType[] = names.map((name) =>
  // The names tie each handler to its own definition; a map over all of them can't say so.
  handle<JobDefinition>(jobDefinitions[name], handlers[name] as Handler<JobDefinition>),
);

/** Ends what handlers keep between jobs (threads), and with it what still runs there. Safe to call more than once. */
export async function closeHandlers(): Promise<void> {
  await closeProfilePool();
}
