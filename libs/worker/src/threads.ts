import { Worker } from 'node:worker_threads';
import { setTimer } from '@offload/process';
import { threadProgram } from './thread-program.ts';

export interface ThreadsOptions {
  /** The module that a thread runs. It calls `answerTasks`. */
  file: URL;
  /** Options of Node.js for the thread. @default those of the process */
  execArgv?: string[];
  /** Heap of one thread, in MiB. @default follows from the machine's memory */
  heapMb: number;
  /** How long threads are kept after the last release, in milliseconds. @default 30_000 */
  idleMs?: number;
}

/** Threads that each run one task at a time. They are started on demand, and idle ones don't keep the process alive. */
export interface Threads<Task, Answer> {
  /**
   * Resolves when a thread is ready for one more task. Call it before a run's timeout begins, since a start may take
   * seconds. If the thread ends while it starts, `run` starts another, and rejects with the reason if that ends too.
   *
   * @returns a function that releases the thread; call it once, after the run
   */
  hold(): Promise<() => void>;
  /**
   * Runs `task` in a thread that is held, or else in a new thread.
   * @throws the signal's reason at once, and ends the thread; or the error that ended the thread
   */
  run(task: Task, signal: AbortSignal): Promise<Answer>;
  /** Ends all threads, and rejects their tasks. A later task starts new threads. */
  close(): Promise<void>;
}

interface Thread {
  worker: Worker;
  /** Resolves when the thread is ready, or has ended before. */
  started: Promise<void>;
  /** The task that the thread runs. */
  current?: { resolve(answer: unknown): void; reject(error: unknown): void } | undefined;
}

export function createThreads<Task, Answer>(options: ThreadsOptions): Threads<Task, Answer> {
  const { file, execArgv, heapMb, idleMs = 30_000 } = options;
  const threads = new Set<Thread>(); // the oldest first: a thread that still starts comes after one that is ready
  let held = 0;
  let shrinking: NodeJS.Timeout | undefined;

  function start(): Thread {
    const worker = new Worker(threadProgram(file), {
      eval: true,
      ...(execArgv && { execArgv }),
      resourceLimits: { maxOldGenerationSizeMb: heapMb },
    });
    const thread: Thread = {
      worker,
      started: new Promise((resolve) => worker.once('message', () => resolve()).once('exit', () => resolve())),
    };
    worker.once('message', () => {
      worker.on('message', (answer) => thread.current?.resolve(answer));
      if (!thread.current) worker.unref();
    });
    worker.on('error', (error) => {
      threads.delete(thread);
      thread.current?.reject(error);
    });
    worker.once('exit', () => {
      threads.delete(thread);
      thread.current?.reject(new Error('the thread has ended'));
    });
    threads.add(thread);
    return thread;
  }

  async function end(thread: Thread): Promise<void> {
    threads.delete(thread); // at once: the next hold starts another
    await thread.worker.terminate();
  }

  function shrink(): void {
    for (const thread of threads) {
      if (threads.size > held && !thread.current) void end(thread);
    }
  }

  return {
    async hold() {
      while (threads.size <= held) start();
      held += 1;
      await Promise.all([...threads].map(({ started }) => started));
      return () => {
        held -= 1;
        clearTimeout(shrinking);
        shrinking = setTimer(shrink, idleMs).unref();
      };
    },

    async run(task, signal) {
      signal.throwIfAborted();
      const thread = [...threads].find(({ current }) => !current) ?? start();
      const { worker } = thread;
      let abort: (() => void) | undefined;
      try {
        return await new Promise<Answer>((resolve, reject) => {
          thread.current = { resolve: resolve as (answer: unknown) => void, reject };
          abort = () => {
            void end(thread);
            reject(signal.reason as Error);
          };
          signal.addEventListener('abort', abort);
          worker.ref();
          worker.postMessage(task);
        });
      } finally {
        if (abort) signal.removeEventListener('abort', abort);
        thread.current = undefined;
        worker.unref();
      }
    },

    async close() {
      clearTimeout(shrinking);
      await Promise.all([...threads].map(end));
    },
  };
}
