import { afterEach } from '@jest/globals';
import { MARK_EVERY, type QueueSamples } from '@offload/database';
import { createLogger, createMetrics } from '@offload/process';
import { startBacklog, type Backlog } from './backlog.ts';

const log = createLogger('api', { level: 'silent', instance: 'spec' });
const HOUR_MS = 3_600_000;

export let backlog: Backlog;
afterEach(() => backlog.stop());

/** Everything that needs no timer has happened. */
export const turn = () => new Promise((resolve) => setImmediate(resolve));

export const idOf = (n: number) => `01980000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
/** So many jobs, the first of which has the id of 0. */
const lineOf = (waiting: number) => ({
  waiting,
  marks: Array.from({ length: Math.ceil(waiting / MARK_EVERY) }, (_, mark) => idOf(mark * MARK_EVERY)),
});

/** A backlog that samples when the test says so, and sees what the test says. */
export async function setup({ waiting = 0 } = {}) {
  let time = 1_000_000;
  let at = 0;
  const asked: { queues: readonly string[]; since: number | null }[] = [];
  let answer: () => Promise<QueueSamples>;
  const see = (waiting: number, remaining: number) => {
    const none = { waiting: 0, marks: [] };
    const queues = [
      { queue: 'default', waiting, remaining, oldestWaitingMs: 5, high: none, normal: lineOf(waiting) },
      { queue: 'mail', waiting: 0, remaining: 0, oldestWaitingMs: null, high: none, normal: none },
    ];
    answer = async () => ({ queues, at: (at += 1) });
  };
  see(waiting, 0);
  const metrics = createMetrics();
  backlog = startBacklog({
    database: {
      queues: {
        sample(queues, since) {
          asked.push({ queues, since });
          return answer();
        },
        countStarted: async () => [
          { queue: 'default', running: 2, scheduled: 0 },
          { queue: 'other', running: 0, scheduled: 3 },
        ],
      },
    },
    queues: ['default', 'mail'],
    everyMs: HOUR_MS,
    metrics,
    log,
    now: () => time,
  });
  await turn();

  async function sample(): Promise<void> {
    backlog.wake();
    await turn();
  }
  return {
    pass: (ms: number) => void (time += ms),
    /** So many of each level wait. */
    seeLevels: async (high: number, normal: number) => {
      const all = { waiting: high + normal, remaining: 0, oldestWaitingMs: 5 };
      answer = async () => ({
        queues: [{ queue: 'default', ...all, high: lineOf(high), normal: lineOf(normal) }],
        at: 9,
      });
      await sample();
    },
    asked,
    metrics,
    fail: async () => {
      answer = () => Promise.reject(new Error('away'));
      await sample();
    },
    /** After so long, so many wait, of whom so many waited before. */
    next: async (elapsedMs: number, waiting: number, remaining: number) => {
      time += elapsedMs;
      see(waiting, remaining);
      await sample();
    },
    /** A sample that is under way until `finish` is called. */
    slowly: (waiting: number, remaining: number) => {
      see(waiting, remaining);
      const given = answer();
      let finish: () => void = () => undefined;
      const finished = new Promise<void>((resolve) => (finish = resolve));
      answer = () => finished.then(() => given);
      backlog.wake();
      return async () => {
        finish();
        await turn();
      };
    },
  };
}

export const rate = () => backlog.drainPerSecond('default');
