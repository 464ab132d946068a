import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { setTicker, type Logger } from '@offload/process';
import type { JobBoard } from './job-board.ts';
import { threadProgram } from './thread-program.ts';

export interface WatchLoopOptions {
  board: JobBoard;
  /** How long the event loop must be blocked before the log says so, in milliseconds. */
  blockedMs: number;
  /** How long before the error of a job that is taken over will say so, too, in milliseconds. @default 4_000 */
  noteAfterMs?: number;
  databaseUrl: string;
  /** What the thread's logger is made from: its lines look like this process's own. */
  logLevel: string;
  instance: string;
  log: Logger;
}

/** What the thread is told. */
export type WatchLoopData = Required<Omit<WatchLoopOptions, 'board' | 'log'>> & { memory: SharedArrayBuffer };

/**
 * Watches the event loop from a thread. A handler that blocks the loop silences the whole process: no timeout fires, no
 * heartbeat is sent, nothing is logged, and after some 20 s the broker gives its jobs to others. The thread then logs
 * which job may hold the loop and for how long, and leaves a note on the rows. The thread never keeps the process
 * alive.
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
