import { isFinished, type Job } from '@offload/jobs';
import { withLinks } from '@offload/jobs/answers';
import { boundedParse, type JobDefinition } from '@offload/jobs/definitions';
import { jobBatch, jobSubmission } from '@offload/jobs/submissions';
import type { z } from 'zod';
import { testJob } from './test-job.ts';

/** What the calls of the test api need. */
export interface TestApiParts {
  findDefinition(type: string): JobDefinition | undefined;
  jobs: readonly Job[];
  /** Accepts a job. Resolves when the submission can be answered. */
  add(job: Job): Promise<void>;
  cancel(job: Job): Job;
}

/** A refusal of a request, which becomes a problem document. */
class Refusal extends Error {
  readonly status: number;
  readonly slug: string;
  readonly errors: { pointer: string; detail: string }[];

  constructor(status: number, slug: string, detail: string, errors: Refusal['errors'] = []) {
    super(detail);
    this.status = status;
    this.slug = slug;
    this.errors = errors;
  }
}

/** Makes a `fetch` without a network that answers the calls with which a client submits and reads jobs. */
export function createTestApi({ findDefinition, jobs, add, cancel }: TestApiParts): typeof fetch {
  function wanted(body: unknown, at: string): { job: Job; dedupeKey: string | undefined } {
    const submission = boundedParse(jobSubmission, body);
    if (!submission.success) throw invalid(submission.error, at);
    const { type, payload, queue, priority, tags, maxAttempts, runAt, delayMs, dedupeKey } = submission.data;
    const definition = findDefinition(type);
    if (!definition) {
      const detail = 'is not among the types of createTestOffload';
      throw new Refusal(400, 'invalid-request', `${at}/type ${detail}`, [{ pointer: `${at}/type`, detail }]);
    }
    const parsed = boundedParse(definition.payload, payload);
    if (!parsed.success) throw invalid(parsed.error, `${at}/payload`);
    const due = runAt ?? (delayMs ? new Date(Date.now() + delayMs) : undefined);
    const members = { priority, tags, ...(queue && { queue }), ...(maxAttempts && { maxAttempts }) };
    const later = due && { status: 'scheduled' as const, dueAt: due.toISOString() };
    return { job: testJob(definition, payload, { ...members, ...later }), dedupeKey };
  }

  const byKey = new Map<string, string>();
  /** @returns the id of the unfinished job with the same dedupe key, or of the new job */
  async function take({ job, dedupeKey }: ReturnType<typeof wanted>): Promise<string> {
    const key = dedupeKey === undefined ? undefined : JSON.stringify([job.type, dedupeKey]);
    const earlier = jobs.find(({ id }) => key !== undefined && id === byKey.get(key));
    if (earlier && !isFinished(earlier.status)) return earlier.id;
    if (key !== undefined) byKey.set(key, job.id);
    await add(job);
    return job.id;
  }

  const now = (id: string): Job => {
    const job = jobs.find((each) => each.id === id);
    if (!job) throw new Refusal(404, 'job-not-found', `There is no job ${id}.`);
    return job;
  };
  const shown = (id: string): object => withLinks(now(id), 'http://offload.test');

  async function answer(method: string, path: string, body: unknown): Promise<Response> {
    const [, id, order] = /^\/v1\/jobs\/([0-9a-f-]{36})(?:\/(\w+))?$/.exec(path) ?? [];
    if (method === 'POST' && path === '/v1/jobs') {
      const made = wanted(body, '');
      const taken = await take(made);
      return json(202, shown(taken), taken === made.job.id ? {} : { deduplicated: 'true' });
    }
    if (method === 'POST' && path === '/v1/jobs/batch') {
      const batch = boundedParse(jobBatch, body);
      if (!batch.success) throw invalid(batch.error, '');
      const all = batch.data.jobs.map((each, index) => wanted(each, `/jobs/${index}`));
      const taken: string[] = [];
      for (const each of all) taken.push(await take(each));
      return json(202, { jobs: taken.map(shown) });
    }
    if (method === 'GET' && id && !order) return json(200, shown(id));
    if (method === 'POST' && id && order === 'cancel') {
      if (isFinished(now(id).status)) throw new Refusal(409, 'job-finished', `Job ${id} is finished.`);
      cancel(now(id));
      return json(200, shown(id));
    }
    throw new Refusal(501, 'not-in-tests', `createTestOffload does not answer ${method} ${path}.`);
  }

  return async (input, init) => {
    const { pathname } = new URL(input instanceof Request ? input.url : input);
    try {
      const body = typeof init?.body === 'string' ? (JSON.parse(init.body) as unknown) : undefined;
      return await answer(init?.method ?? 'GET', pathname, body);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { status, slug, message: detail, errors } = error;
      const problem = { type: `/problems/${slug}`, title: 'Refused', status, detail, instance: pathname, errors };
      return json(status, problem, { 'content-type': 'application/problem+json' });
    }
  };
}

function json(status: number, body: object, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', ...headers } });
}

function invalid({ issues }: z.ZodError, at: string): Refusal {
  const errors = issues.map(({ path, message }) => ({
    pointer: [at, ...path.map(String)].join('/'),
    detail: message,
  }));
  const detail = errors.map((each) => `${each.pointer} ${each.detail}`).join('; ');
  return new Refusal(400, 'invalid-request', detail, errors);
}
