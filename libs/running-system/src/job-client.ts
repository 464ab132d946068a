import { createClient, JobCancelledError, JobFailedError, type Client } from '@offload/client';
import type { JobWithLinks } from '@offload/jobs/answers';
import type { JobSubmission } from '@offload/jobs/submissions';
import { eventually } from '@offload/spec-kit';
import { checkedFetch } from './checked-fetch.ts';

/** A server with its URL, without a final slash. */
export interface Site {
  readonly url: string;
}

/** A job to submit. */
export type Submission = Pick<JobSubmission, 'type' | 'payload'> & Partial<JobSubmission>;

/** Sends any body to `POST /v1/jobs`. A string is sent unchanged, other values as JSON. */
export function post(api: Site, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return checkedFetch(`${api.url}/v1/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

/** Makes a client that repeats no request, so that a test sees each answer of the api. */
export function clientOf({ url }: Site): Client {
  return createClient({ baseUrl: url, maxAttempts: 1, fetch: checkedFetch });
}

/** Makes a client that repeats requests, for tests that kill processes. */
function patientClientOf({ url }: Site): Client {
  return createClient({ baseUrl: url, maxAttempts: 100, backoffBaseMs: 100, backoffMaxMs: 100, fetch: checkedFetch });
}

/** Submits a job to `POST /v1/jobs`. Rejects when the api does not accept it. */
export async function submit(api: Site, { type, payload, ...options }: Submission): Promise<JobWithLinks> {
  return (await clientOf(api).submit(type, payload, options)).snapshot;
}

/** Reads a job from `GET /v1/jobs/{id}`. */
export async function getJob(api: Site, id: string): Promise<JobWithLinks> {
  return (await clientOf(api).get(id)).snapshot;
}

/** Waits until the job is finished, in any final status. Rejects after `timeoutMs` milliseconds. */
export async function finished(api: Site, { id }: { id: string }, timeoutMs = 30_000): Promise<JobWithLinks> {
  const job = patientClientOf(api).job(id);
  try {
    await job.wait({ timeoutMs });
  } catch (error) {
    if (!(error instanceof JobFailedError || error instanceof JobCancelledError)) throw error;
  }
  return job.snapshot as JobWithLinks;
}

/**
 * Reads one metric of a process's `/metrics`, by its name with labels as Prometheus prints it. A missing metric is 0.
 */
export async function metric(process: Site, name: string): Promise<number> {
  const text = await (await fetch(`${process.url}/metrics`)).text();
  const line = text.split('\n').find((each) => each.startsWith(`${name} `));
  return line ? Number(line.slice(name.length + 1)) : 0;
}

/** Waits until one of these workers runs a job, and resolves with that worker. */
export function holderOf<Worker extends Site>(workers: readonly Worker[]): Promise<Worker> {
  return eventually(async () => {
    const running = await Promise.all(workers.map((worker) => metric(worker, 'offload_jobs_running')));
    const holder = workers[running.indexOf(1)];
    if (!holder) throw new Error('no worker runs a job');
    return holder;
  });
}
