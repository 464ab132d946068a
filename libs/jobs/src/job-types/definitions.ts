import type { JobDefinition } from '../definitions/job-definition.ts';
import * as definitions from './registry.ts';

/** Every job definition that comes with Offload, under its export name, the name its handler shares. */
export const jobDefinitions = definitions;
export type JobDefinitions = typeof definitions;
export type JobName = keyof JobDefinitions;

const byType = new Map<string, JobDefinition>(Object.values(definitions).map((each) => [each.type, each]));

/** Every type name, sorted. */
export const jobTypes: readonly string[] = [...byType.keys()].sort();

/** @returns the definition of `type`, or undefined when there is none. */
export function findJobDefinition(type: string): JobDefinition | undefined {
  return byType.get(type);
}
