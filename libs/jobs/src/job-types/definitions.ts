import type { JobDefinition } from '../definitions/job-definition.ts';
import * as definitions from './registry.ts';

/** Every job definition that comes with Offload, by its export name. Its handler has the same name. */
export const jobDefinitions = definitions;
/** The type of {@link jobDefinitions}. */
export type JobDefinitions = typeof definitions;
/** The export name of a definition that comes with Offload, such as `demoSleep`. */
export type JobName = keyof JobDefinitions;

const byType = new Map<string, JobDefinition>(Object.values(definitions).map((each) => [each.type, each]));

/** The names of all job types that come with Offload, sorted. */
export const jobTypes: readonly string[] = [...byType.keys()].sort();

/** Finds the definition of a job type that comes with Offload; undefined when there is none. */
export function findJobDefinition(type: string): JobDefinition | undefined {
  return byType.get(type);
}
