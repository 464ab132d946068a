import { type JobDefinition } from '@offload/jobs/definitions';
import { jobDefinitions, type JobDefinitions, type JobName } from '@offload/jobs/job-types';
import { handle, type Handler, type RunnableType } from '@offload/worker';
import { closeProfilePool } from './handlers/csv.profile.pool.ts';
import * as registry from './handlers/index.ts';

/** The handlers, each under the name of its job definition: a missing or misnamed handler is a compile error. */
const handlers: { [Name in JobName]: Handler<JobDefinitions[Name]> } = registry;

const names = Object.keys(jobDefinitions) as JobName[];

const missing = names.filter((name) => typeof handlers[name] !== 'function');
if (missing.length > 0) throw new Error(`no handler for ${missing.join(', ')}: see docs/adding-a-job.md`);

/** The job types that come with Offload. */
export const runnableTypes: RunnableType[] = names.map((name) =>
  // The names tie each handler to its definition; the type of a map over all handlers cannot express this.
  handle<JobDefinition>(jobDefinitions[name], handlers[name] as Handler<JobDefinition>),
);

/**
 * Ends the threads that handlers keep between jobs, with the tasks that still run there. A second call does no harm.
 */
export async function closeHandlers(): Promise<void> {
  await closeProfilePool();
}
