import type { z } from 'zod';
import { jobTypeName } from '../members/identifiers.ts';
import { storingFault } from './stored-payload.ts';

/** The pause after n failed attempts: a random time up to `min(maxMs, baseMs * factor ** (n - 1))`. */
export interface Backoff {
  /** Upper bound before the second attempt, in milliseconds. @default 1_000 */
  baseMs: number;
  /** Growth of the bound with each attempt. @default 2 */
  factor: number;
  /** The bound never exceeds this, in milliseconds. @default 300_000 (5 minutes) */
  maxMs: number;
}

/** The settings of all jobs of a type. A job may override each of them. */
export interface JobPolicy {
  /** The queue of the job's dispatch messages. @default 'default' */
  queue: string;
  /** Milliseconds after which an attempt is aborted and counts as failed. @default 60_000 */
  timeoutMs: number;
  /** Attempts before the job is `failed`, the first included. @default 5 */
  maxAttempts: number;
  backoff: Backoff;
}

/** Longest timeout of a job, in milliseconds (2 hours). The broker's `consumer_timeout` must exceed it. */
export const MAX_TIMEOUT_MS = 2 * 60 * 60 * 1000;

/** Highest version of a job type. */
export const MAX_VERSION = 1_000_000;

export const defaultPolicy: JobPolicy = {
  queue: 'default',
  timeoutMs: 60_000,
  maxAttempts: 5,
  backoff: { baseMs: 1_000, factor: 2, maxMs: 300_000 },
};

/** One kind of slow work: its name, the schemas of payload and result, and its policy. */
export interface JobDefinition<
  Type extends string = string,
  Payload extends z.ZodType = z.ZodType,
  Result extends z.ZodType = z.ZodType,
> {
  type: Type;
  /**
   * Version of the payload and result schemas, from 1 to 1,000,000. Raise it when a schema changes: the registered
   * schemas of a version never change.
   */
  version: number;
  /** One line for people, shown by `GET /v1/job-types`. */
  description: string;
  /**
   * Schema of the payload. The api checks a posted payload (400), and the worker checks it again before the handler
   * (permanent failure). The input with defaults is stored, and the handler gets the output: a transform is applied
   * once.
   */
  payload: Payload;
  /** Schema of the handler's result. Any other result is a permanent failure. */
  result: Result;
  policy: JobPolicy;
  /** Converts a payload of an older `version` into one of this version. Required from version 2 on. */
  upgrade?: (payload: unknown, version: number) => unknown;
}

/** The checked payload of a definition, as its handler receives it. */
export type Payload<D extends JobDefinition> = z.output<D['payload']>;
/** The result that the definition's handler must return, before its schema transforms it. */
export type Result<D extends JobDefinition> = z.input<D['result']>;

/** The argument of {@link defineJob}. */
type JobDeclaration<Type extends string, Payload extends z.ZodType, Result extends z.ZodType> = Omit<
  JobDefinition<Type, Payload, Result>,
  'policy' | 'version'
> & {
  /** @default 1 */
  version?: number;
  policy?: Partial<JobPolicy>;
};

/**
 * Declares a job type. Members that `policy` omits are taken from {@link defaultPolicy}.
 *
 * @throws TypeError when the name, the version or the timeout is out of range
 * @throws TypeError when the version is above 1 and there is no `upgrade`
 * @throws TypeError when the payload can't be stored as posted and parsed by the worker: see {@link storingFault}
 *
 * @example
 * export const reportBuild = defineJob({
 *   type: 'report.build',
 *   description: 'Builds a report of one year.',
 *   payload: z.strictObject({ year: z.int() }),
 *   result: z.strictObject({ url: z.string() }),
 *   policy: { timeoutMs: 10 * 60_000 },
 * });
 */
export function defineJob<const Type extends string, Payload extends z.ZodType, Result extends z.ZodType>(
  definition: JobDeclaration<Type, Payload, Result>,
): JobDefinition<Type, Payload, Result> {
  const policy = { ...defaultPolicy, ...definition.policy };
  const { version = 1 } = definition;
  const name = jobTypeName.safeParse(definition.type);
  if (!name.success) throw new TypeError(`${definition.type}: its type ${name.error.issues[0]?.message}`);
  if (!(Number.isInteger(version) && version >= 1 && version <= MAX_VERSION)) {
    throw new TypeError(`${definition.type}: version must be a whole number from 1 to ${MAX_VERSION}`);
  }
  if (version > 1 && !definition.upgrade) {
    throw new TypeError(`${definition.type}: version ${version} needs an upgrade for payloads of older versions`);
  }
  if (!(policy.timeoutMs >= 1 && policy.timeoutMs <= MAX_TIMEOUT_MS)) {
    throw new TypeError(`${definition.type}: policy.timeoutMs must be from 1 to ${MAX_TIMEOUT_MS} milliseconds`);
  }
  const fault = storingFault(definition.payload);
  if (fault !== null) throw new TypeError(`${definition.type}: its payload can't be stored: ${fault}`);
  return { ...definition, version, policy };
}
