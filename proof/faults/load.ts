import type { JobWithLinks } from '@offload/jobs/answers';
import type { Site, Submission } from '@offload/running-system/requests';

/** A job whose post was answered with 202. */
export interface Acceptance {
  job: number;
  id: string;
  /** Name of the api that answered. */
  api: string;
  /** Time of the answer, by the clock of `Run.startedAt`. */
  at: number;
  /** Milliseconds from the post to the whole answer. */
  tookMs: number;
}

/** Options of {@link startLoad}. */
export interface LoadOptions {
  /** The running apis, which take turns. */
  apis(): readonly Site[];
  submission(job: number): Submission;
  perSecond: number;
  onAccepted?(acceptance: Acceptance): unknown;
}

/** A client that posts jobs at a steady rate, regardless of the answers. */
export interface Load {
  /** Accepted jobs by their number. */
  readonly accepted: ReadonlyMap<number, Acceptance>;
  /** Number of posts without a 202, by status, or `no answer`. Their jobs are never posted again. */
  readonly refused: Readonly<Record<string, number>>;
  /** Resolves when `count` jobs are accepted. */
  untilAccepted(count: number): Promise<void>;
  /** Posts `count` further jobs at once. Resolves when every post is over. */
  burst(count: number): Promise<void>;
  /** Stops posting. Resolves when every post is over. */
  stop(): Promise<void>;
  /** Stops posting at once. May be called again. */
  abandon(): void;
}

/** Most milliseconds that a client waits for an answer. */
const PATIENCE_MS = 15_000;
/** Most posts without an answer. Beyond it, the load pauses. */
const MOST_UNANSWERED = 200;

/** Starts a load. */
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
    due = Math.max(due, now - 500); // late posts are skipped
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
      await Promise.all(underWay); // each post has its own timeout
    },
    async stop() {
      abandon();
      await Promise.all(underWay);
    },
    abandon,
  };
}

/** @returns the job, or the reason why there is none */
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
