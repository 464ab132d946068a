import { jsonOf, refusalOf, unexpected, type Answer } from './answer.ts';
import type { Backoff } from './job.ts';
import type { Settings } from './options.ts';
import { request } from './request.ts';

/** One version of a job type, as a worker registers it. */
export interface JobRegistration {
  type: string;
  version: number;
  description: string;
  queue: string;
  timeoutMs: number;
  maxAttempts: number;
  backoff: Backoff;
  /** Whether the workers of this version run payloads of older versions too. */
  upgrades: boolean;
  /** JSON Schema, draft 2020-12. */
  payloadSchema: Record<string, unknown>;
  resultSchema: Record<string, unknown>;
}

/** One version of a job type, as the api shows it. */
export interface JobTypeVersion extends Pick<
  JobRegistration,
  'version' | 'upgrades' | 'payloadSchema' | 'resultSchema'
> {
  /** Names of the workers that run this version now. */
  workers: string[];
  /** When the version was registered, or when a worker that runs it last sent a heartbeat, to the minute. */
  lastSeenAt: string;
}

/**
 * A job type. New payloads are for its `version`: the newest that a worker runs now, else the newest that is
 * registered.
 */
export interface JobTypeInfo extends Omit<JobRegistration, 'upgrades'>, Pick<JobTypeVersion, 'workers' | 'lastSeenAt'> {
  /** All registered versions, newest first. */
  versions: JobTypeVersion[];
}

/**
 * A version to register for a program that is not a worker of Offload. Members that are omitted get the defaults of
 * `PUT /v1/job-types/{type}`.
 */
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
  // Not found at a later attempt: an earlier attempt, whose answer was lost, has probably removed the job type.
  if (answer.status === 404 && answer.attempt === 1) throw refusalOf(answer);
}

function urlOf({ baseUrl }: Settings, type: string): URL {
  return new URL(`v1/job-types/${encodeURIComponent(type)}`, baseUrl);
}

/** @throws UnexpectedAnswerError when the body is not a job type */
function jobTypeOf(answer: Answer): JobTypeInfo {
  const info = (jsonOf(answer) ?? {}) as Partial<Record<keyof JobTypeInfo, unknown>>;
  if (typeof info.type !== 'string' || !Array.isArray(info.versions)) throw unexpected(answer, 'no job type');
  return info as JobTypeInfo;
}
