// A worker's process whose event loop is blocked by a job until a line comes in. Runs these jobs: `id:type`.
import { readSync } from 'node:fs';
import { createLogger } from '@offload/process';
import { createHeldJobs } from './held-jobs.ts';
import { createJobBoard } from './job-board.ts';
import { watchLoop } from './watch-loop.ts';

const [databaseUrl = '', ...jobs] = process.argv.slice(2);
const instance = 'blocked-worker';
const board = createJobBoard(10);
const { signal } = new AbortController();
const heldJobs = createHeldJobs(signal, board);
const log = createLogger('worker', { level: 'warn', instance });
watchLoop({ board, blockedMs: 100, noteAfterMs: 200, databaseUrl, logLevel: 'warn', instance, log });

const over = heldJobs.take('01990000-0000-7000-8000-0000000000ff', signal);
over.claimed(1, 'spec.over');
over.release();
for (const job of jobs) {
  const [id = '', type = ''] = job.split(':');
  heldJobs.take(id, signal).claimed(1, type);
}
setTimeout(() => {
  readSync(0, Buffer.alloc(1)); // until the test writes
  process.stdin.resume().on('end', () => process.exit()); // and until it has seen enough
}, 100);
