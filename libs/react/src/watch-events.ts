import { isFinished, type Snapshot } from '@offload/client';

/** Options of {@link watchEvents}. */
export interface WatchOptions {
  /** Gets the job as it is, and after each change. */
  onJob(job: Snapshot): void;
  /** Gets the error when the stream is interrupted. */
  onError(error: Error): void;
  /** Gets another URL when the browser has given up. @default none: `onError` gets an error, and watching ends */
  renew: (() => Promise<string>) | undefined;
}

const names = ['scheduled', 'queued', 'running', 'progress', 'succeeded', 'failed', 'cancelled'];

/** Pause before a new URL is requested, in milliseconds. It doubles until an event arrives. */
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [1_000, 30_000];

/**
 * Watches the events of a job in a browser until the job is finished. EventSource reconnects by itself. It gives up
 * when the notifier refuses the connection, because the token has expired for example.
 *
 * @returns a function that ends watching
 */
export function watchEvents(url: string, { onJob, onError, renew }: WatchOptions): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let pauseMs = FIRST_PAUSE_MS;
  let last: Snapshot | undefined;
  let stopped = false;
  let source = open(url);

  function open(at: string): EventSource {
    const opened = new EventSource(at);
    for (const name of names) opened.addEventListener(`job.${name}`, hear);
    opened.addEventListener('error', () => opened.readyState === EventSource.CLOSED && lost());
    return opened;
  }

  function hear({ type, data }: MessageEvent<string>): void {
    const job = JSON.parse(data) as Snapshot;
    pauseMs = FIRST_PAUSE_MS;
    if (last && job.version <= last.version) return;
    last = type === 'job.progress' ? { ...last, ...job } : job; // an event of progress omits payload, result and errors
    onJob(last);
    if (isFinished(last)) source.close();
  }

  function lost(): void {
    if (!renew) return onError(new Error('The stream of events was refused'));
    timer = setTimeout(() => void again(renew), pauseMs);
    pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
  }

  async function again(renewed: () => Promise<string>): Promise<void> {
    try {
      const at = await renewed();
      if (!stopped) source = open(at);
    } catch (error) {
      if (stopped) return;
      onError(error instanceof Error ? error : new Error(String(error)));
      lost();
    }
  }

  return () => {
    stopped = true;
    clearTimeout(timer);
    source.close();
  };
}
