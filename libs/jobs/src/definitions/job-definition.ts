import type { z } from 'zod';
import { jobTypeName } from '../members/identifiers.ts';
import { storingFault } from './stored-payload.ts';

/** How long to wait after n failed attempts: a random time up to `min(maxMs, baseMs * factor ** (n - 1))`. */
export interface Backoff {
  /** Upper bound before the second attempt, in milliseconds. @default 1_000 */
  baseMs: number;
  /** Growth of the bound with each attempt. @default 2 */
  factor: number;
  /** The bound never exceeds this, in milliseconds. @default 300_000 (5 minutes) */
  maxMs: number;
}

/** What applies to a job of this type unless the job itself says otherwise. */
export interface JobPolicy {
  /** The lane its dispatch messages wait in. @default 'default' */
  queue: string;
  /** An attempt that runs longer is aborted and counts as failed, in milliseconds. @default 60_000 */
  timeoutMs: number;
  /** Attempts before the job is `failed`, the first included. @default 5 */
  maxAttempts: number;
  backoff: Backoff;
}

/** Longest timeout a job may have; the broker's `consumer_timeout` must exceed it (2 hours). */
export const MAX_TIMEOUT_MS = 2 * 60 * 60 * 1000;

/** Highest version of a job type. */
export const MAX_VERSION = 1_000_000;

export const defaultPolicy: JobPolicy = {
  queue: 'default',
  timeoutMs: 60_000,
  maxAttempts: 5,
  backoff: { baseMs: 1_000, factor: 2, maxMs: 300_000 },
};

/** One kind of slow work: its name, the shapes of what goes in and comes out, and its policy. */
export interface JobDefinition<
  Type extends string = string,
  Payload extends z.ZodType = z.ZodType,
  Result extends z.ZodType = z.ZodType,
> {
  type: Type;
  /** Of payload and result. Raise it when one of them changes: the schemas of a version stay as they were registered. */
  version: number;
  /** One line for people, shown by `GET /v1/job-types`. */
  description: string;
  /**
   * Checked when the job is posted (400) and again before it runs (permanent failure). Its input is stored, with
   * defaults, and the handler gets its output: a transformation is applied once.
   */
  payload: Payload;
  /** Checked when the handler returns; another result is a permanent failure. */
  result: Result;
  policy: JobPolicy;
  /** Makes a payload of this version of one that was stored under an older `version`. Needed from version 2 on. */
  upgrade?: (payload: unknown, version: number) => unknown;
}

/** The checked payload of a definition, as its handler receives it. */
export type Payload<D extends JobDefinition> = z.output<D['payload']>;
/** What the definition's handler must return. */
export type Result<D extends JobDefinition> = z.input<D['result']>;

/** What {@link defineJob} takes. */
type JobDeclaration<Type extends string, Payload extends z.ZodType, Result extends z.ZodType> = Omit<
  JobDefinition<Type, Payload, Result>,
  'policy' | 'version'
> & {
  /** @default 1 */
  version?: number;
  policy?: Partial<JobPolicy>;
};

/**
 * Declares a job type; members missing from `policy` are taken from {@link defaultPolicy}.
 *
 * @throws TypeError when its name, version or timeout is none that a job may have, when it has no `upgrade` although its version is
 *   above 1, or when its payload can't be stored as it comes and parsed by the worker: see {@link storingFault}
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
