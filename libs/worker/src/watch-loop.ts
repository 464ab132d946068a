import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { setTicker, type Logger } from '@offload/process';
import type { JobBoard } from './job-board.ts';
import { threadProgram } from './thread-program.ts';

export interface WatchLoopOptions {
  board: JobBoard;
  /** How long the event loop must be blocked before the thread logs it, in milliseconds. */
  blockedMs: number;
  /** How long the loop must be blocked before the thread writes a note on the rows, in milliseconds. @default 4_000 */
  noteAfterMs?: number;
  databaseUrl: string;
  /** The options of the thread's logger, so that its lines look like those of this process. */
  logLevel: string;
  instance: string;
  log: Logger;
}

/** The data of the thread. */
export type WatchLoopData = Required<Omit<WatchLoopOptions, 'board' | 'log'>> & { memory: SharedArrayBuffer };

/**
 * Watches the event loop from a thread. A handler that blocks the loop stops the whole process: no timeout fires, the
 * process sends no heartbeat and logs nothing. After some 20 s the broker redelivers its jobs to other workers. The
 * thread logs which job may block the loop and for how long, and writes a note on the rows. The thread does not keep
 * the process alive.
 */
export function watchLoop({ board, log, noteAfterMs = 4_000, ...rest }: WatchLoopOptions): void {
  const data: WatchLoopData = { ...rest, noteAfterMs, memory: board.memory };
  const extension = extname(import.meta.url);
  board.beat();
  setTicker(board.beat, Math.ceil(rest.blockedMs / 4)).unref();
  const thread = new Worker(threadProgram(new URL(`watch-loop.thread${extension}`, import.meta.url)), {
    eval: true,
    workerData: data,
  });
  thread.on('error', (error) => log.error({ err: error }, 'the event loop is no longer watched'));
  thread.unref();
}
