import type { Kind } from './answers.ts';

/** Tags of jobs, and names of the configured endpoints for jobs with them. */
export const ENDPOINTS = ['audit', 'closing'] as const;

/** The intended end of a job, so that final statuses differ: of twenty jobs one times out and one is cancelled. */
export function fateOf(job: number): 'runs' | 'times out' | 'cancelled' {
  if (job % 20 === 0) return 'times out';
  return job % 20 === 10 ? 'cancelled' : 'runs';
}

/** @param hosts the receivers with their ports, which take turns */
function urlOf(job: number, hosts: readonly string[]): string {
  const host = `http://${hosts[job % hosts.length]}`;
  const kinds: readonly Kind[] = ['gone', 'slow', 'shared'];
  const kind = kinds[job % 19];
  return kind === 'shared' ? `${host}/shared/all` : `${host}/${kind ?? 'hook'}/${job}`;
}

/** The submission of a job. */
export function submissionOf(job: number, hosts: readonly string[]): object {
  const fate = fateOf(job);
  const tag = ENDPOINTS[(job % 10) - 4];
  return {
    type: 'demo.sleep',
    payload: { seconds: fate === 'times out' ? 5 : 0 },
    ...(fate === 'times out' && { timeoutMs: 20, maxAttempts: 1 }),
    ...(fate === 'cancelled' && { delayMs: 3_600_000 }),
    tags: tag ? [tag] : [],
    webhook: { url: urlOf(job, hosts) },
  };
}
