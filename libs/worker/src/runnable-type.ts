import type { JobDefinition } from '@offload/jobs/definitions';
import type { Handler } from './handler.ts';
import { createSlots, type Slots } from './slots.ts';

/** A job type the worker can run. */
export interface RunnableType {
  definition: JobDefinition;
  /** Takes what `definition.payload` has parsed, and nothing else. */
  handler: Handler<JobDefinition>;
  /** Where its runs are limited: a job of it is claimed only with one of these. */
  slots?: Slots | undefined;
}

/**
 * Joins a definition with its handler, for `startWorker`. They may be in different packages: clients import the definition alone.
 *
 * @example
 * await startWorker({ handlers: [handle(imageResize, async ({ path, width }, { signal }) => { … })] });
 */
export function handle<D extends JobDefinition>(definition: D, handler: Handler<D>): RunnableType {
  const slots = handler.atOnce === undefined ? undefined : createSlots(handler.atOnce, handler.prepare);
  // The types of the two fit, as the signature says; once they are in a list nobody can tell any more.
  return { definition, handler: handler as unknown as Handler<JobDefinition>, slots };
}

/** The job types of a worker, by their names. @throws TypeError where one is there twice */
export function byType(handlers: readonly RunnableType[]): ReadonlyMap<string, RunnableType> {
  const types = new Map<string, RunnableType>();
  for (const each of handlers) {
    const { type } = each.definition;
    if (types.has(type)) throw new TypeError(`${type} has two handlers`);
    types.set(type, each);
  }
  return types;
}
