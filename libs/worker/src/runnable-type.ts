import type { JobDefinition } from '@offload/jobs/definitions';
import type { Handler } from './handler.ts';
import { createSlots, type Slots } from './slots.ts';

/** A job type that the worker can run. */
export interface RunnableType {
  definition: JobDefinition;
  /** Accepts only a payload that `definition.payload` has parsed. */
  handler: Handler<JobDefinition>;
  /** The slots, if the runs of the type are limited: the worker claims a job of the type only with a slot. */
  slots?: Slots | undefined;
}

/**
 * Joins a definition with its handler, for `startWorker`. The two may be in different packages: clients import only the
 * definition.
 *
 * @example
 * await startWorker({ handlers: [handle(imageResize, async ({ path, width }, { signal }) => { … })] });
 */
export function handle<D extends JobDefinition>(definition: D, handler: Handler<D>): RunnableType {
  const slots = handler.atOnce === undefined ? undefined : createSlots(handler.atOnce, handler.prepare);
  // The signature makes the types of the two fit. A list of job types cannot express this any more.
  return { definition, handler: handler as unknown as Handler<JobDefinition>, slots };
}

/** The job types of a worker, by their names. @throws TypeError if a type occurs twice */
export function byType(handlers: readonly RunnableType[]): ReadonlyMap<string, RunnableType> {
  const types = new Map<string, RunnableType>();
  for (const each of handlers) {
    const { type } = each.definition;
    if (types.has(type)) throw new TypeError(`${type} has two handlers`);
    types.set(type, each);
  }
  return types;
}
