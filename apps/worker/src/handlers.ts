import type { JobDefinition } from '@offload/jobs/definitions';
import { jobDefinitions, type JobName } from '@offload/jobs/job-types';
import { type Handler, type Handlers, createSlots, type RunnableType } from '@offload/worker';
import { closeProfilePool } from './handlers/csv.profile.pool.ts';
import * as registry from './handlers/index.ts';

const handlers = registry satisfies Handlers;

const names = Object.keys(jobDefinitions) as JobName[];

const missing = names.filter((name) => typeof handlers[name] !== 'function');
if (missing.length > 0) throw new Error(`no handler for ${missing.join(', ')}: see docs/adding-a-job.md`);

const byType = new Map<string, RunnableType>(
  names.map((name) => {
    const definition = jobDefinitions[name];
    // The names tie each handler to its own definition; a map over all of them can't say so.
    const handler = handlers[name] as Handler<JobDefinition>;
    const slots = handler.atOnce === undefined ? undefined : createSlots(handler.atOnce, handler.prepare);
    return [definition.type, { definition, handler, slots }];
  }),
);

/** @returns the definition and the handler of `type`, or undefined when there is none. */
export function findHandler(type: string): RunnableType | undefined {
  return byType.get(type);
}

/** @returns the job types that go to other queues than these, unless a job names one of these */
export function typesElsewhere(queues: readonly string[]): string[] {
  return [...byType.values()]
    .filter(({ definition: { policy } }) => !queues.includes(policy.queue))
    .map(({ definition: { type } }) => type);
}

/** Ends what handlers keep between jobs (threads), and with it what still runs there. Safe to call more than once. */
export async function closeHandlers(): Promise<void> {
  await closeProfilePool();
}
