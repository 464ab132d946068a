import { isFinished, type JobSubmission, type JobWithLinks } from '@offload/contracts';
import { eventually } from '@offload/testing';

/** Anything that answers at a URL, without a final slash. */
export interface Site {
  readonly url: string;
}

export type Submission = Pick<JobSubmission, 'type' | 'payload'> & Partial<JobSubmission>;

/** `POST /v1/jobs` of anything; a string goes as it is. */
export function post(api: Site, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${api.url}/v1/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

/** `POST /v1/jobs` of a job that must be accepted. */
export async function submit(api: Site, submission: Submission): Promise<JobWithLinks> {
  return bodyOf<JobWithLinks>(await post(api, submission), 202);
}

export async function getJob(api: Site, id: string): Promise<JobWithLinks> {
  return bodyOf<JobWithLinks>(await fetch(`${api.url}/v1/jobs/${id}`), 200);
}

/** The job once it is finished, however it ended. */
export function finished(api: Site, { id }: { id: string }, timeoutMs = 30_000): Promise<JobWithLinks> {
  return eventually(
    async () => {
      const job = await getJob(api, id);
      if (!isFinished(job.status)) throw new Error(`not finished: ${JSON.stringify(job)}`);
      return job;
    },
    { timeoutMs, intervalMs: 50 },
  );
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

async function bodyOf<T>(response: Response, status: number): Promise<T> {
  const text = await response.text();
  if (response.status !== status) throw new Error(`${response.url}: ${response.status} ${text}`);
  return JSON.parse(text) as T;
}
