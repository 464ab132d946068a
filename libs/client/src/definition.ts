import type { Backoff } from './job.ts';
import type { WebhookEvent } from './deliveries.ts';

/** As much of a schema as its types: zod's have it, as has every Standard Schema (https://standardschema.dev). */
export interface SchemaTypes<Input = unknown, Output = unknown> {
  readonly '~standard': { readonly types?: { readonly input: Input; readonly output: Output } | undefined };
}

/**
 * What the client needs of a job definition. What `defineJob` of @offload/jobs makes fits, and so does the name
 * alone: `const sleep: Definition<{ seconds?: number }, { sleptMs: number }> = { type: 'demo.sleep' }`. The schemas give
 * types to the compiler and are never called: payloads are checked by the api, results by the worker.
 */
export interface Definition<Payload = unknown, Result = unknown> {
  readonly type: string;
  readonly payload?: SchemaTypes<Payload>;
  readonly result?: SchemaTypes<unknown, Result>;
}

/** A job's kind: its definition, or the bare name of its type, which leaves payload and result `unknown`. */
export type Kind = Definition | string;

/** What may be posted as payload: the input of the definition's schema, in which members with a default are optional. */
export type PayloadOf<K extends Kind> = K extends Definition<infer Payload> ? Payload : unknown;

/** What a succeeded job's result is: the output of the definition's schema, as JSON carries it. */
export type ResultOf<K extends Kind> = K extends Definition<unknown, infer Result> ? Result : unknown;

/** What a job may say of itself; what it leaves out is the policy of its definition. */
export interface JobOptions {
  /** Not before this time, which a string gives in RFC 3339; excludes `delayMs`. @default at once */
  runAt?: string | Date;
  /** Not before so many milliseconds from now. @default 0 */
  delayMs?: number;
  /** The lane its dispatch messages wait in. @default the definition's */
  queue?: string;
  /** 0 to 9; higher runs first. @default 0 */
  priority?: number;
  /** Attempts before the job is `failed`, the first included. @default the definition's */
  maxAttempts?: number;
  /** Limit of one attempt of the handler, in milliseconds. @default the definition's */
  timeoutMs?: number;
  /** Pauses between attempts, in milliseconds. @default the definition's */
  backoff?: Partial<Backoff>;
  /** While a job of this type with this key is unfinished, that one is answered and none is made. @default none */
  dedupeKey?: string;
  /** For `list` and for watchers to filter by. @default [] */
  tags?: readonly string[];
  /** Where the end of this job is to be told, where the api has secrets to sign that with. @default nowhere */
  webhook?: WebhookOptions;
}

/** A webhook of a job's own. */
export interface WebhookOptions {
  /** Absolute, http or https, without credentials, and not leading inside. */
  url: string | URL;
  /** Which ends. @default all of them */
  events?: readonly WebhookEvent[];
}

export function typeOf(kind: Kind): string {
  return typeof kind === 'string' ? kind : kind.type;
}
