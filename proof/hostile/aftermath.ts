import type { JobPage } from '@offload/jobs/answers';
import { eventually } from '@offload/spec-kit';
import { post } from '@offload/running-system/requests';
import type { Ground } from './ground.ts';
import { keys } from './script.ts';
import { storedJobs } from './stored.ts';
import { calmVitals, readVitals, type Vitals } from './vitals.ts';

/** Most growth of a process since its warm-up, after any number of requests. */
export const BOUNDS = { residentBytes: 128 * 2 ** 20, heapBytes: 8 * 2 ** 20, descriptors: 10, resources: 20 };

/** The state of an api after the run. */
export interface Aftermath {
  faults: string[];
  vitals: Vitals;
  stored: number;
  /** Number of jobs of requests without an answer. */
  ofUnanswered: number;
  /** Number of warnings in the log. */
  warnings: number;
}

const authorization = `Bearer ${keys.all}`;

/** Examines an api, and ends it. */
export async function lookBack(ground: Ground, before: Vitals): Promise<Aftermath> {
  const { api, account, databaseUrl } = ground;
  const faults: string[] = [];
  const fault = (what: string | false): void => void (what && faults.push(what));

  await settled(ground, before);
  const vitals = await calmVitals(api);
  for (const [name, bound] of Object.entries(BOUNDS) as [keyof typeof BOUNDS, number][]) {
    const more = vitals[name] - before[name];
    fault(!(more <= bound) && `${name} was ${before[name]}, and is ${vitals[name]}: more than ${bound} above it`);
  }
  fault(vitals.waiters !== 0 && `${vitals.waiters} requests still wait`);

  const alive = await fetch(`${api.url}/healthz`);
  fault(alive.status !== 200 && `/healthz answers ${alive.status}`);
  const rows = await storedJobs(databaseUrl);
  const audit = account.audit(rows);
  faults.push(...audit.faults.slice(0, 20));
  fault(audit.faults.length > 20 && `${audit.faults.length - 20} more faults of what is stored`);
  faults.push(...(await listingFaults(ground, rows.length)));
  const taken = await post(api, { type: 'demo.sleep', payload: { seconds: 0 } }, { authorization });
  fault(taken.status !== 202 && `a job is answered with ${taken.status}: ${await taken.text()}`);

  const code = await api.kill('SIGTERM');
  fault(code !== 0 && `it ended with code ${code} after SIGTERM`);
  const { output } = await api.exited;
  const lines = api.log.filter(({ level }) => level === 'error' || level === 'fatal');
  for (const line of lines.slice(0, 3)) faults.push(`logged: ${JSON.stringify(line).slice(0, 700)}`);
  fault(lines.length > 3 && `${lines.length} errors are logged`);
  const others = output.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
  fault(others.length > 0 && `it has written, apart from its log: ${others.slice(0, 5).join('\n')}`);
  const warnings = api.log.filter(({ level }) => level === 'warn').length;
  return { faults, vitals, stored: rows.length, ofUnanswered: audit.ofUnanswered, warnings };
}

/** Waits until the last connections of refused clients are cut, a second later. The bounds judge what is left. */
async function settled({ api }: Ground, before: Vitals): Promise<void> {
  const calm = eventually(async () => {
    const { descriptors, waiters } = await readVitals(api);
    if (descriptors > before.descriptors + BOUNDS.descriptors || waiters > 0) throw new Error('not yet');
  });
  await calm.catch(() => undefined);
}

/** Reads every page of all jobs, and compares them with the document. */
async function listingFaults({ api, faultsByDocument }: Ground, stored: number): Promise<string[]> {
  const path = '/v1/jobs?limit=200';
  const ids = new Set<string>();
  for (let cursor: string | null = ''; cursor !== null;) {
    const url = `${api.url}${path}${cursor === '' ? '' : `&cursor=${cursor}`}`;
    const response = await fetch(url, { headers: { authorization } });
    const exchange = { method: 'GET', path, status: response.status, headers: Object.fromEntries(response.headers) };
    const body = await response.text();
    const faults = faultsByDocument({ ...exchange, body });
    if (faults.length > 0 || response.status !== 200) return [`a page is answered with ${response.status}`, ...faults];
    const page = JSON.parse(body) as JobPage;
    for (const { id } of page.jobs) ids.add(id);
    cursor = page.nextCursor;
  }
  return ids.size === stored ? [] : [`${ids.size} jobs are listed, of ${stored} that are stored`];
}
