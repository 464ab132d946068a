import { workerData } from 'node:worker_threads';
import type { Database } from '@offload/database';
import type { Logger } from '@offload/process';
import { jobsOn, lastBeatOn, sharedClock, takeLongestGap, type BoardJob } from './job-board.ts';
import type { WatchLoopData } from './watch-loop.ts';

const { memory, blockedMs, noteAfterMs, databaseUrl, logLevel, instance } = workerData as WatchLoopData;

/** Most jobs that a sentence names. */
const NAMED_JOBS = 5;

/** The thread waits on this value, which never changes: a timer without a library. */
const still = new Int32Array(new SharedArrayBuffer(4));

/** Loaded and opened only while the loop is blocked: most processes never need it. */
let log: Logger | undefined;
let database: Database | undefined;

/** One period in which the loop did not turn. */
interface Blockage {
  jobs: BoardJob[];
  /** How long the period must last before the thread logs it again; doubled each time. */
  tellAfterMs: number;
}

async function watch(): Promise<never> {
  const pauseMs = Math.ceil(blockedMs / 4);
  let beat = lastBeatOn(memory);
  /**
   * How late this thread itself was since the beat. For that time the machine or the process stood still, not the loop.
   */
  let frozenMs = 0;
  let blockage: Blockage | null = null;
  for (;;) {
    const before = sharedClock();
    Atomics.wait(still, 0, 0, pauseMs);
    const now = sharedClock();
    const latest = lastBeatOn(memory);
    if (latest !== beat) {
      if (blockage) await end(blockage, takeLongestGap(memory) - frozenMs);
      else takeLongestGap(memory);
      blockage = null;
      frozenMs = 0;
      beat = latest;
      continue;
    }
    frozenMs += Math.max(0, now - before - 2 * pauseMs);
    const forMs = now - beat - frozenMs;
    if (forMs < (blockage?.tellAfterMs ?? blockedMs)) continue;
    blockage = { jobs: jobsOn(memory), tellAfterMs: 2 * Math.max(forMs, blockedMs) };
    await tell(blockage.jobs, forMs);
  }
}

async function tell(jobs: BoardJob[], forMs: number): Promise<void> {
  const sentence = `blocked for ${span(forMs)}${by(jobs)}`;
  (await logger()).warn({ blockedMs: Math.round(forMs), jobs }, `the event loop is ${sentence}`);
  if (forMs < noteAfterMs || jobs.length === 0) return;
  try {
    const { openDatabase } = await import('./watch-loop.libraries.ts');
    database ??= openDatabase({ url: databaseUrl, poolSize: 1, timeoutMs: 2_000 });
    await database.jobs.noteLoss(jobs, `the event loop of its worker had been ${sentence}`);
  } catch (error) {
    (await logger()).warn({ err: error as Error }, 'cannot note on the rows what blocks the event loop');
  }
}

async function end({ jobs }: Blockage, forMs: number): Promise<void> {
  await takeBack(jobs);
  const message = `the event loop turns again: it was blocked for ${span(forMs)}${by(jobs)}`;
  (await logger()).warn({ blockedMs: Math.round(forMs), jobs }, message);
}

/** Removes the note from the rows: a later loss of these jobs has another reason. */
async function takeBack(jobs: BoardJob[]): Promise<void> {
  const opened = database;
  database = undefined;
  try {
    await opened?.jobs.noteLoss(jobs, null);
  } catch (error) {
    (await logger()).warn(
      { err: error as Error },
      'what blocked the event loop is noted until the next liveness check',
    );
  } finally {
    await opened?.close();
  }
}

async function logger(): Promise<Logger> {
  if (!log) {
    const { createLogger } = await import('./watch-loop.libraries.ts');
    log = createLogger('worker', { level: logLevel, instance });
  }
  return log;
}

function span(ms: number): string {
  return `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`;
}

/** Names the running jobs of this process: each may be the job that blocks the loop. */
function by(jobs: BoardJob[]): string {
  if (jobs.length === 0) return '; no job is running';
  const named = jobs.slice(0, NAMED_JOBS).map(({ type, jobId }) => `${type} (job ${jobId})`);
  const more = jobs.length - named.length;
  return ` by ${jobs.length > 1 ? 'one of ' : ''}${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

void watch();
