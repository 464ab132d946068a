import type { JobWithLinks } from '@offload/jobs/answers';
import type { Site, Submission } from '@offload/running-system/requests';

/** A job that was answered with 202. */
export interface Acceptance {
  job: number;
  id: string;
  /** of the api that answered */
  api: string;
  /** when the answer was here, as `Run.startedAt` */
  at: number;
  /** from the post to the whole answer, in milliseconds */
  tookMs: number;
}

export interface LoadOptions {
  /** Those that can be asked now; they take turns. */
  apis(): readonly Site[];
  submission(job: number): Submission;
  perSecond: number;
  onAccepted?(acceptance: Acceptance): unknown;
}

/** A client that posts one job after another at a steady rate, whatever becomes of them. */
export interface Load {
  /** by job number */
  readonly accepted: ReadonlyMap<number, Acceptance>;
  /** Posts that got no 202, by their status, or `no answer`. Their numbers are never posted again. */
  readonly refused: Readonly<Record<string, number>>;
  /** Resolves once so many jobs are accepted. */
  untilAccepted(count: number): Promise<void>;
  /** So many jobs at once, besides; resolves when every post has its answer, or none. */
  burst(count: number): Promise<void>;
  /** Resolves when every post has its answer, or none. */
  stop(): Promise<void>;
  /** No more posts; calling it again is the same. */
  abandon(): void;
}

/** How long a client waits for an answer. */
const PATIENCE_MS = 15_000;
/** Most posts without an answer; while there are so many, no more are sent. */
const MOST_UNANSWERED = 200;

export function startLoad({ apis, submission, perSecond, onAccepted }: LoadOptions): Load {
  const accepted = new Map<number, Acceptance>();
  const refused: Record<string, number> = {};
  const underWay = new Set<Promise<void>>();
  const waiting = new Set<() => void>();
  let jobs = 0;
  let due = performance.now();

  async function post(api: Site, job: number): Promise<void> {
    const from = performance.now();
    const outcome = await tryToPost(api, submission(job));
    if (typeof outcome === 'string') {
      refused[outcome] = (refused[outcome] ?? 0) + 1;
      return;
    }
    const tookMs = performance.now() - from;
    const acceptance = { job, id: outcome.id, api: api.url, at: Date.now(), tookMs };
    accepted.set(job, acceptance);
    onAccepted?.(acceptance);
    for (const check of waiting) check();
  }

  function postNext(): void {
    const sites = apis();
    const api = sites[jobs % sites.length];
    if (!api || underWay.size >= MOST_UNANSWERED) return;
    const posting = post(api, (jobs += 1)).finally(() => underWay.delete(posting));
    underWay.add(posting);
  }

  function postWhatIsDue(): void {
    const now = performance.now();
    due = Math.max(due, now - 500); // what could not be sent in time is not made up for
    for (; due <= now; due += 1_000 / perSecond) postNext();
  }

  const timer = setInterval(postWhatIsDue, 5);
  const abandon = (): void => clearInterval(timer);
  return {
    accepted,
    refused,
    untilAccepted(count) {
      return new Promise((resolve) => {
        function check(): void {
          if (accepted.size < count) return;
          waiting.delete(check);
          resolve();
        }
        waiting.add(check);
        check();
      });
    },
    async burst(count) {
      for (let posts = 0; posts < count; posts += 1) postNext();
      await Promise.all(underWay); // each has a time limit of its own
    },
    async stop() {
      abandon();
      await Promise.all(underWay);
    },
    abandon,
  };
}

/** @returns the job, or why there is none */
async function tryToPost({ url }: Site, submission: Submission): Promise<JobWithLinks | string> {
  try {
    const response = await fetch(`${url}/v1/jobs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(submission),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const text = await response.text();
    return response.status === 202 ? (JSON.parse(text) as JobWithLinks) : String(response.status);
  } catch {
    return 'no answer';
  }
}
