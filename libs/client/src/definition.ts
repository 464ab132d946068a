import type { Backoff } from './job.ts';
import type { WebhookEvent } from './deliveries.ts';

/** The types of a schema. zod's schemas have them, as has every Standard Schema (https://standardschema.dev). */
export interface SchemaTypes<Input = unknown, Output = unknown> {
  readonly '~standard': { readonly types?: { readonly input: Input; readonly output: Output } | undefined };
}

/**
 * The part of a job definition that the client needs. A definition made by `defineJob` of @offload/jobs fits, and so
 * does an object with the name alone: `const sleep: Definition<{ seconds?: number }, { sleptMs: number }> = { type:
 * 'demo.sleep' }`. The client never calls the schemas, they only give types to the compiler. The api checks payloads,
 * and the worker checks results.
 */
export interface Definition<Payload = unknown, Result = unknown> {
  readonly type: string;
  readonly payload?: SchemaTypes<Payload>;
  readonly result?: SchemaTypes<unknown, Result>;
}

/** A job's definition, or only the name of its type. With the name, payload and result are `unknown`. */
export type Kind = Definition | string;

/** The payload to submit: the input of the definition's schema, in which members with a default are optional. */
export type PayloadOf<K extends Kind> = K extends Definition<infer Payload> ? Payload : unknown;

/** The result of a succeeded job: the output of the definition's schema, as JSON carries it. */
export type ResultOf<K extends Kind> = K extends Definition<unknown, infer Result> ? Result : unknown;

/** The options of one job. The definition's policy applies where an option is omitted. */
export interface JobOptions {
  /** The job does not run before this time. A string is RFC 3339. Excludes `delayMs`. @default at once */
  runAt?: string | Date;
  /** The job does not run before this many milliseconds have passed. Excludes `runAt`. @default 0 */
  delayMs?: number;
  /** The queue of the job's dispatch messages. @default the definition's */
  queue?: string;
  /** 0 to 9; higher runs first. @default 0 */
  priority?: number;
  /** Attempts before the job is `failed`, the first included. @default the definition's */
  maxAttempts?: number;
  /** Most time for one attempt of the handler, in milliseconds. @default the definition's */
  timeoutMs?: number;
  /** Pauses between attempts, in milliseconds. @default the definition's */
  backoff?: Partial<Backoff>;
  /**
   * While an unfinished job of this type has this key, a submission resolves with that job and makes none.
   * @default none
   */
  dedupeKey?: string;
  /** Texts by which `list` and watchers filter jobs. @default [] */
  tags?: readonly string[];
  /** The webhook that the end of this job triggers. The api needs secrets to sign it. @default none */
  webhook?: WebhookOptions;
}

/** A webhook of one job. */
export interface WebhookOptions {
  /** Absolute http or https URL without credentials. It must not lead to an internal address. */
  url: string | URL;
  /** The final statuses that trigger the webhook. @default all of them */
  events?: readonly WebhookEvent[];
}

/** The name of a job's type. */
export function typeOf(kind: Kind): string {
  return typeof kind === 'string' ? kind : kind.type;
}
