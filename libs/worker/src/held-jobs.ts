import type { HeldJob } from '@offload/database';
import type { JobBoard } from './job-board.ts';
import { LazyAbortController } from './lazy-abort-controller.ts';

/** The jobs whose dispatch messages this worker holds now: what is told to all workers finds its job here. */
export interface HeldJobs {
  /**
   * From the moment its dispatch message is here, so that a cancel which overtakes the answer to our claim finds it too.
   *
   * @param lost fires when the broker gives the dispatch message to another; mostly that of many dispatch messages
   */
  take(jobId: string, lost: AbortSignal): Holding;
  /** Cancels the job if it is here; otherwise it is somebody else's. */
  cancel(jobId: string): void;
  /** All of them: with the attempt, or null while its dispatch message is here and not claimed. */
  all(): HeldJob[];
}

/** One dispatch message that is here. */
export interface Holding {
  /** Of its run: fires when the job is to be cancelled, and when this worker must let go of it. */
  readonly run: LazyAbortController;
  /** The job is to be cancelled. */
  readonly cancelled: boolean;
  /** This worker must let go of the job: it is stopping, or the broker gave the job to another. */
  readonly mustLetGo: boolean;
  /** The attempt is ours. */
  claimed(attempt: number, type: string): void;
  release(): void;
}

/** Why a handler's signal fires whose job was cancelled. */
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
  // Places that are used again: see `UnderWay` in messaging for why this is no set.
  const here: (HeldDispatch | undefined)[] = [];
  const free: number[] = [];
  const watched = new WeakSet<AbortSignal>();

  /** Ends the runs of all dispatch messages that are lost with this signal. Listens once, however many there are. */
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
