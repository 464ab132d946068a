import type { HeldJob } from '@offload/database';
import type { JobBoard } from './job-board.ts';
import { LazyAbortController } from './lazy-abort-controller.ts';

/** The jobs whose deliveries this worker has now. Commands, which go to all workers, find their job here. */
export interface HeldJobs {
  /**
   * Adds a job as soon as its dispatch message arrives, so that a cancel which overtakes the answer to the claim finds
   * it.
   *
   * @param lost fires when the delivery is lost; many deliveries share this signal
   */
  take(jobId: string, lost: AbortSignal): Holding;
  /** Cancels the job if this worker has it. */
  cancel(jobId: string): void;
  /** All jobs with their attempt; the attempt is null while a job is not claimed. */
  all(): HeldJob[];
}

/** One job whose delivery this worker has. */
export interface Holding {
  /** The signal of the run: fires when a client cancels the job, and when this worker must let go of it. */
  readonly run: LazyAbortController;
  /** Cancels the job. */
  readonly cancelled: boolean;
  /** Makes this worker let go of the job: the worker is stopping, or the delivery is lost. */
  readonly mustLetGo: boolean;
  /** Notes that this worker has claimed the attempt. */
  claimed(attempt: number, type: string): void;
  release(): void;
}

/** The reason of a handler's signal when a client has cancelled the job. */
export class CancelledError extends Error {
  override name = 'CancelledError';

  constructor() {
    super('the job was cancelled');
  }
}

/**
 * @param letGo fires when this worker has waited long enough for running jobs while it stops
 * @param board shows the claimed jobs to the thread that watches the event loop
 */
export function createHeldJobs(letGo: AbortSignal, board?: JobBoard): HeldJobs {
  // An array with reused places, not a set: `UnderWay` in messaging says why.
  const here: (HeldDispatch | undefined)[] = [];
  const free: number[] = [];
  const watched = new WeakSet<AbortSignal>();

  /** Ends the runs of all deliveries that are lost with this signal. One listener serves all of them. */
  function watch(signal: AbortSignal): void {
    if (watched.has(signal)) return;
    watched.add(signal);
    signal.addEventListener('abort', () => {
      for (const dispatch of here) if (dispatch?.isLostWith(signal)) dispatch.run.abort(signal.reason as Error);
    });
  }

  watch(letGo);
  return {
    take(jobId, lost) {
      watch(lost);
      const place = free.pop() ?? here.length;
      const dispatch = new HeldDispatch(jobId, [lost, letGo], place, board, () => {
        here[place] = undefined;
        free.push(place);
        board?.clear(place);
      });
      here[place] = dispatch;
      return dispatch;
    },
    cancel(jobId) {
      for (const dispatch of here) if (dispatch?.jobId === jobId) dispatch.cancel();
    },
    all: () => here.flatMap((dispatch) => (dispatch ? [{ jobId: dispatch.jobId, attempt: dispatch.attempt }] : [])),
  };
}

class HeldDispatch implements Holding {
  readonly run = new LazyAbortController();
  readonly jobId: string;
  attempt: number | null = null;
  cancelled = false;
  readonly release: () => void;
  readonly #lostWith: readonly AbortSignal[];
  readonly #place: number;
  readonly #board: JobBoard | undefined;

  constructor(
    jobId: string,
    lostWith: readonly AbortSignal[],
    place: number,
    board: JobBoard | undefined,
    release: () => void,
  ) {
    this.jobId = jobId;
    this.#lostWith = lostWith;
    this.#place = place;
    this.#board = board;
    this.release = release;
  }

  get mustLetGo(): boolean {
    return this.#lostWith.some(({ aborted }) => aborted);
  }

  isLostWith(signal: AbortSignal): boolean {
    return this.#lostWith.includes(signal);
  }

  claimed(attempt: number, type: string): void {
    this.attempt = attempt;
    this.#board?.put(this.#place, { jobId: this.jobId, attempt, type });
  }

  cancel(): void {
    this.cancelled = true;
    this.run.abort(new CancelledError());
  }
}
