import type { JobDefinition } from '@offload/jobs/definitions';
import type { Handler } from './handler.ts';
import type { Slots } from './slots.ts';

/** A job type the worker can run. */
export interface RunnableType {
  definition: JobDefinition;
  /** Takes what `definition.payload` has parsed, and nothing else. */
  handler: Handler<JobDefinition>;
  /** Where its runs are limited: a job of it is claimed only with one of these. */
  slots?: Slots | undefined;
}
