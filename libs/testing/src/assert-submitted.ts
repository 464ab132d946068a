import type { Job } from '@offload/jobs';
import type { JobDefinition } from '@offload/jobs/definitions';
import { AssertionError } from 'node:assert';
import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import type { TestOffload } from './test-offload.ts';

/**
 * Finds the first submitted job of the definition's type whose payload has the given members. Members that are omitted
 * may have any value; given members must be deeply equal.
 *
 * @returns the job as it is now
 * @throws AssertionError that lists the submitted payloads
 *
 * @example
 * assertSubmitted(offload, imageResize, { path: 'a.png' });
 */
export function assertSubmitted<D extends JobDefinition>(
  { jobs }: Pick<TestOffload, 'jobs'>,
  { type }: D,
  payload?: Partial<z.input<D['payload']>>,
): Job {
  const ofType = jobs.filter((job) => job.type === type);
  const found = ofType.find((job) => fits(job.payload, payload));
  if (found) return found;
  throw new AssertionError({
    message:
      ofType.length === 0
        ? `no ${type} was submitted; ${listOf(jobs.map((job) => job.type))}`
        : `no ${type} was submitted with ${JSON.stringify(payload)}; ${listOf(ofType.map((job) => JSON.stringify(job.payload)))}`,
    stackStartFn: assertSubmitted,
  });
}

function listOf(submitted: string[]): string {
  return submitted.length === 0 ? 'nothing was' : `submitted: ${submitted.join(', ')}`;
}

function fits(payload: unknown, expected: unknown): boolean {
  if (expected === undefined) return true;
  if (!isObject(payload) || !isObject(expected)) return isDeepStrictEqual(payload, expected);
  return Object.entries(expected).every(([name, value]) => isDeepStrictEqual(payload[name], value));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
