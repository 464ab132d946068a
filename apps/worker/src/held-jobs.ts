import type { HeldJob } from '@offload/database';

/** The jobs whose rings this worker holds now: what is told to all workers finds its job here. */
export interface HeldJobs {
  /** From the moment its ring is here, so that a cancel which overtakes the answer to our claim finds it too. */
  take(jobId: string): Holding;
  /** Cancels the job if it is here; otherwise it is somebody else's. */
  cancel(jobId: string): void;
  /** Those that have been claimed. */
  claimed(): HeldJob[];
}

/** One ring that is here. */
export interface Holding {
  /** Fires when its job is to be cancelled. */
  readonly cancelled: AbortSignal;
  /** The attempt is ours. */
  claimed(attempt: number): void;
  release(): void;
}

/** Why a handler's signal fires whose job was cancelled. */
export class CancelledError extends Error {
  override name = 'CancelledError';

  constructor() {
    super('the job was cancelled');
  }
}

export function createHeldJobs(): HeldJobs {
  const holdings = new Set<{ jobId: string; attempt: number | null; cancel: AbortController }>();
  return {
    take(jobId) {
      const holding = { jobId, attempt: null as number | null, cancel: new AbortController() };
      holdings.add(holding);
      return {
        cancelled: holding.cancel.signal,
        claimed: (attempt) => void (holding.attempt = attempt),
        release: () => void holdings.delete(holding),
      };
    },
    cancel(jobId) {
      for (const holding of holdings) if (holding.jobId === jobId) holding.cancel.abort(new CancelledError());
    },
    claimed: () => [...holdings].flatMap(({ jobId, attempt }) => (attempt === null ? [] : [{ jobId, attempt }])),
  };
}
