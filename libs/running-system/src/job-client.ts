import { createClient, JobCancelledError, JobFailedError, type Client } from '@offload/client';
import type { JobWithLinks } from '@offload/jobs/answers';
import type { JobSubmission } from '@offload/jobs/submissions';
import { eventually } from '@offload/spec-kit';
import { checkedFetch } from './checked-fetch.ts';

/** Anything that answers at a URL, without a final slash. */
export interface Site {
  readonly url: string;
}

export type Submission = Pick<JobSubmission, 'type' | 'payload'> & Partial<JobSubmission>;

/** `POST /v1/jobs` of anything; a string goes as it is. */
export function post(api: Site, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return checkedFetch(`${api.url}/v1/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

/** A client that asks once: what a test sees is what the api did. */
export function clientOf({ url }: Site): Client {
  return createClient({ baseUrl: url, maxAttempts: 1, fetch: checkedFetch });
}

/** A client that bears with processes that are being killed. */
function patientClientOf({ url }: Site): Client {
  return createClient({ baseUrl: url, maxAttempts: 100, backoffBaseMs: 100, backoffMaxMs: 100, fetch: checkedFetch });
}

/** `POST /v1/jobs` of a job that must be accepted. */
export async function submit(api: Site, { type, payload, ...options }: Submission): Promise<JobWithLinks> {
  return (await clientOf(api).submit(type, payload, options)).snapshot;
}

export async function getJob(api: Site, id: string): Promise<JobWithLinks> {
  return (await clientOf(api).get(id)).snapshot;
}

/** The job once it is finished, however it ended. */
export async function finished(api: Site, { id }: { id: string }, timeoutMs = 30_000): Promise<JobWithLinks> {
  const job = patientClientOf(api).job(id);
  try {
    await job.wait({ timeoutMs });
  } catch (error) {
    if (!(error instanceof JobFailedError || error instanceof JobCancelledError)) throw error;
  }
  return job.snapshot as JobWithLinks;
}

/** One figure of a process's `/metrics`, by its name with labels as Prometheus prints it; 0 when it is not there. */
export async function metric(process: Site, name: string): Promise<number> {
  const text = await (await fetch(`${process.url}/metrics`)).text();
  const line = text.split('\n').find((each) => each.startsWith(`${name} `));
  return line ? Number(line.slice(name.length + 1)) : 0;
}

/** The one of these workers that runs a job now. */
export function holderOf<Worker extends Site>(workers: readonly Worker[]): Promise<Worker> {
  return eventually(async () => {
    const running = await Promise.all(workers.map((worker) => metric(worker, 'offload_jobs_running')));
    const holder = workers[running.indexOf(1)];
    if (!holder) throw new Error('no worker runs a job');
    return holder;
  });
}
