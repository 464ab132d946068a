import type { JobWithLinks } from '@offload/jobs/answers';
import { post, type Site, type Submission } from '@offload/running-system/requests';
import { keys } from './script.ts';

const EACH = 6;
const authorization = `Bearer ${keys.all}`;

/** Makes a few jobs of every status but `queued` and `running`. Needs a worker. */
export async function makeFinishedJobs(api: Site): Promise<void> {
  const unreachable = { type: 'http.request', payload: { url: 'http://127.0.0.1:1/' }, maxAttempts: 1 };
  await makeAll(api, { type: 'demo.sleep', payload: { seconds: 0 } }, 'succeeded');
  await makeAll(api, unreachable, 'failed');
  const later = { type: 'demo.sleep', payload: {}, delayMs: 86_400_000 };
  await makeAll(api, later, 'scheduled');
  for (const { id } of await makeAll(api, later, 'scheduled')) {
    const cancelled = await fetch(`${api.url}/v1/jobs/${id}/cancel`, { method: 'POST', headers: { authorization } });
    if (cancelled.status !== 200) throw new Error(`cancel answered ${cancelled.status}`);
  }
}

/** Makes queued jobs, when there is no worker any more. */
export async function makeQueuedJobs(api: Site): Promise<void> {
  await makeAll(api, { type: 'demo.sleep', payload: {} }, 'queued');
}

/** Makes jobs and waits for their status. */
function makeAll(api: Site, submission: Submission, status: JobWithLinks['status']): Promise<JobWithLinks[]> {
  const prefer: Record<string, string> = ['scheduled', 'queued'].includes(status) ? {} : { prefer: 'wait=20' };
  return Promise.all(
    Array.from({ length: EACH }, async () => {
      const job = (await (await post(api, submission, { authorization, ...prefer })).json()) as JobWithLinks;
      if (job.status !== status) throw new Error(`${JSON.stringify(job)} is not ${status}`);
      return job;
    }),
  );
}
