import { jobDefinitions, type JobDefinition, type JobName } from '@offload/contracts';
import type { Handler, Handlers } from './handler.ts';
import { closeProfilePool } from './handlers/csv.profile.pool.ts';
import * as registry from './handlers/index.ts';

const handlers = registry satisfies Handlers;

/** A job type the worker can run. */
export interface RunnableType {
  definition: JobDefinition;
  /** Takes what `definition.payload` has parsed, and nothing else. */
  handler: Handler<JobDefinition>;
}

const names = Object.keys(jobDefinitions) as JobName[];

const byType = new Map<string, RunnableType>(
  names.map((name) => [
    jobDefinitions[name].type,
    // The names tie each handler to its own definition; a map over all of them can't say so.
    { definition: jobDefinitions[name], handler: handlers[name] as Handler<JobDefinition> },
  ]),
);

const missing = names.filter((name) => typeof handlers[name] !== 'function');
if (missing.length > 0) throw new Error(`no handler for ${missing.join(', ')}: see docs/adding-a-job.md`);

/** @returns the definition and the handler of `type`, or undefined when there is none. */
export function findHandler(type: string): RunnableType | undefined {
  return byType.get(type);
}

/** Ends what handlers keep between jobs (threads), and with it what still runs there. Safe to call more than once. */
export async function closeHandlers(): Promise<void> {
  await closeProfilePool();
}
