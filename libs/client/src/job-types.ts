import { jsonOf, refusalOf, unexpected, type Answer } from './answer.ts';
import type { Backoff } from './job.ts';
import type { Settings } from './options.ts';
import { request } from './request.ts';

/** One version of a job type, as it is registered. */
export interface JobRegistration {
  type: string;
  version: number;
  description: string;
  queue: string;
  timeoutMs: number;
  maxAttempts: number;
  backoff: Backoff;
  /** Whether its workers run payloads of older versions too. */
  upgrades: boolean;
  /** JSON Schema, draft 2020-12. */
  payloadSchema: Record<string, unknown>;
  resultSchema: Record<string, unknown>;
}

/** A version of a job type, as it is shown. */
export interface JobTypeVersion extends Pick<
  JobRegistration,
  'version' | 'upgrades' | 'payloadSchema' | 'resultSchema'
> {
  /** Instances of the workers that run it now. */
  workers: string[];
  /** When it was registered, or a worker that runs it was heard, to the minute. */
  lastSeenAt: string;
}

/** A job type. Its `version` is that of new payloads: the newest that a worker runs now, or the newest where none runs. */
export interface JobTypeInfo extends Omit<JobRegistration, 'upgrades'>, Pick<JobTypeVersion, 'workers' | 'lastSeenAt'> {
  /** All that are registered, the newest first. */
  versions: JobTypeVersion[];
}

/** A version of a job type, for programs that are no worker of Offload. What is left out is as `PUT /v1/job-types/{type}` says. */
export type JobTypeOptions = Partial<Omit<JobRegistration, 'type'>> & Pick<JobRegistration, 'payloadSchema'>;

/** `GET /v1/job-types/{type}`. Rejects with 404 `job-type-not-found`. */
export async function showJobType(settings: Settings, type: string, signal?: AbortSignal): Promise<JobTypeInfo> {
  return jobTypeOf(await request(settings, { method: 'GET', url: urlOf(settings, type), signal, expected: [200] }));
}

/** `PUT /v1/job-types/{type}`: registers a version. Rejects with 409 `schema-conflict`. */
export async function registerJobType(
  settings: Settings,
  type: string,
  options: JobTypeOptions,
  signal?: AbortSignal,
): Promise<JobTypeInfo> {
  const call = { method: 'PUT', url: urlOf(settings, type), body: JSON.stringify(options), signal } as const;
  return jobTypeOf(await request(settings, { ...call, expected: [200, 201] }));
}

/** `DELETE /v1/job-types/{type}`. Rejects with 404 `job-type-not-found` and 409 `job-type-in-use`. */
export async function removeJobType(settings: Settings, type: string, signal?: AbortSignal): Promise<void> {
  const answer = await request(settings, {
    method: 'DELETE',
    url: urlOf(settings, type),
    signal,
    expected: [204, 404],
  });
  // At a later attempt it was perhaps the first one that removed it; gone it is.
  if (answer.status === 404 && answer.attempt === 1) throw refusalOf(answer);
}

function urlOf({ baseUrl }: Settings, type: string): URL {
  return new URL(`v1/job-types/${encodeURIComponent(type)}`, baseUrl);
}

/** @throws UnexpectedAnswerError when the body is no job type */
function jobTypeOf(answer: Answer): JobTypeInfo {
  const info = (jsonOf(answer) ?? {}) as Partial<Record<keyof JobTypeInfo, unknown>>;
  if (typeof info.type !== 'string' || !Array.isArray(info.versions)) throw unexpected(answer, 'no job type');
  return info as JobTypeInfo;
}
