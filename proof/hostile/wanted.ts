import { isUtf8 } from 'node:buffer';
import { isDeepStrictEqual } from 'node:util';
import { storedPayload } from '@offload/jobs/definitions';
import { findJobDefinition } from '@offload/jobs/job-types';
import { jobBatch, jobSubmission } from '@offload/jobs/submissions';

/** The one fault of a payload that JSON Schema can't express. The api accepts it, and the worker fails the job. */
const SAID_BY_WORKER = /^must have at most \d+ characters in all$/;

/** The queues of the api under test. */
export const queues = ['default', 'mail'];

/** The expected job of a submission. */
export interface Wanted {
  type: string;
  queue: string;
  priority: number;
  tags: string[];
  payload: unknown;
  maxAttempts: number;
  timeoutMs: number;
  backoff: unknown;
  dedupeKey: string | null;
  /** RFC 3339 in UTC; null if the submission has a delay. */
  runAt: string | null;
  delayMs: number;
}

/**
 * The jobs that a body must make, by the contract alone: its schemas and I-JSON.
 *
 * @returns the reason as text if the contract refuses the body
 */
export function wantedBy(octets: Buffer, path: 'job' | 'batch'): Wanted[] | string {
  if (!isUtf8(octets)) return 'it is not UTF-8';
  const text = new TextDecoder().decode(octets); // without a byte order mark
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    return `it is not JSON: ${(error as Error).message}`;
  }
  const { names, depth } = shape(text);
  if (depth > 64) return `it is ${depth} levels deep`;
  if (names !== namesIn(body)) return 'a member is duplicated';
  if (path === 'job') {
    const wanted = wantedOf(body);
    return typeof wanted === 'string' ? wanted : [wanted];
  }
  const batch = jobBatch.safeParse(body);
  if (!batch.success) return batch.error.message;
  const all = batch.data.jobs.map(wantedOf);
  return all.find((each) => typeof each === 'string') ?? (all as Wanted[]);
}

/** @returns the reason as text if the contract refuses the job */
export function wantedOf(body: unknown): Wanted | string {
  const submission = jobSubmission.safeParse(body);
  if (!submission.success) return submission.error.message;
  const { type, runAt, delayMs = 0, priority, tags, backoff, dedupeKey = null, ...given } = submission.data;
  const definition = findJobDefinition(type);
  if (!definition) return `there is no type ${type}`;
  const { error } = definition.payload.safeParse(given.payload);
  if (error?.issues.some(({ message }) => !SAID_BY_WORKER.test(message))) return error.message;
  const { policy } = definition;
  const { queue = policy.queue, maxAttempts = policy.maxAttempts, timeoutMs = policy.timeoutMs } = given;
  if (!queues.includes(queue)) return `there is no queue ${queue}`;
  return {
    ...{ type, queue, priority, tags, maxAttempts, timeoutMs, backoff: backoff ?? policy.backoff, dedupeKey, delayMs },
    payload: JSON.parse(JSON.stringify(storedPayload(definition.payload, given.payload))), // without -0
    runAt: runAt === undefined ? null : runAt.toISOString(),
  };
}

/** Whether a job is as expected, apart from its due time. */
export function isAsWanted(job: Omit<Wanted, 'runAt' | 'delayMs'>, wanted: Wanted): boolean {
  const names = [
    'type',
    'queue',
    'priority',
    'tags',
    'payload',
    'maxAttempts',
    'timeoutMs',
    'backoff',
    'dedupeKey',
  ] as const;
  return names.every((name) => isDeepStrictEqual(job[name], wanted[name]));
}

/** The number of member names in JSON, and its depth. Outside of strings, colons and brackets have no other meaning. */
function shape(json: string): { names: number; depth: number } {
  const bare = json.replace(/"(?:[^"\\]|\\.)*"/g, '');
  let [names, depth, deepest] = [0, 0, 0];
  for (const character of bare) {
    if (character === ':') names += 1;
    else if (character === '{' || character === '[') deepest = Math.max(deepest, (depth += 1));
    else if (character === '}' || character === ']') depth -= 1;
  }
  return { names, depth: deepest };
}

function namesIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const own = Array.isArray(value) ? 0 : Object.keys(value).length;
  return Object.values(value).reduce<number>((sum, each) => sum + namesIn(each), own);
}
