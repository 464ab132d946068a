import type { z } from 'zod';
import type { JobDefinition } from './job-definition.ts';
import * as definitions from '../job-types/index.ts';

/** Every job definition under its export name, the name its handler shares. */
export const jobDefinitions = definitions;
export type JobDefinitions = typeof definitions;
export type JobName = keyof JobDefinitions;

/** The checked payload of a definition, as its handler receives it. */
export type Payload<D extends JobDefinition> = z.output<D['payload']>;
/** What the definition's handler must return. */
export type Result<D extends JobDefinition> = z.input<D['result']>;

const byType = new Map<string, JobDefinition>(Object.values(definitions).map((each) => [each.type, each]));

/** Every type name, sorted. */
export const jobTypes: readonly string[] = [...byType.keys()].sort();

/** @returns the definition of `type`, or undefined when there is none. */
export function findJobDefinition(type: string): JobDefinition | undefined {
  return byType.get(type);
}
