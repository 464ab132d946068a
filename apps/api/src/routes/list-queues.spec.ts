import { expect, it } from '@jest/globals';
import type { QueueInfo } from '@offload/jobs/answers';
import type { Database } from '@offload/database';
import type { QueueStatus } from '@offload/messaging/queues';
import express from 'express';
import request from 'supertest';
import type { Backlog } from '../loops/backlog.ts';
import { listQueues } from './list-queues.ts';

/** The route, with a broker that answers as the test says, and a clock. */
function setup(counted: string[] = [], needed = new Map<string, string[]>()) {
  let time = 0;
  const inspected: string[] = [];
  let answer: () => Promise<QueueStatus | null> = async () => ({ ready: 0, consumers: 3 });
  const route = listQueues({
    database: {
      queues: {
        count: async () => counted.map((queue) => ({ queue, ready: 1, running: 0, scheduled: 0, oldestWaitingMs: 1 })),
      },
    } as unknown as Database,
    inspector: { inspect: (queue) => (inspected.push(queue), answer()) },
    broker: { brokerVersion: '4.0.5' },
    backlog: { counts: () => [], drainPerSecond: () => null } as unknown as Backlog,
    types: { queues: () => needed },
    queues: ['default'],
    now: () => time,
  });
  const app = express().get('/v1/queues', route);
  return {
    pass: (ms: number) => void (time += ms),
    answers: (next: typeof answer) => void (answer = next),
    inspected,
    queues: async () => (await request(app).get('/v1/queues').expect(200)).body.queues as QueueInfo[],
    consumers: async (): Promise<number | null> =>
      (await request(app).get('/v1/queues').expect(200)).body.queues[0].consumers,
  };
}

const never = () => new Promise<never>(() => undefined);

it('shows a recent count of consumers while the broker answers late, and no old count', async () => {
  const { consumers, answers, pass } = setup();
  expect(await consumers()).toBe(3);
  answers(never);
  pass(9_000);
  expect(await consumers()).toBe(3);
  pass(1_000);
  expect(await consumers()).toBeNull();
});

it('shows null while the broker does not answer, even after an earlier answer', async () => {
  const { consumers, answers } = setup();
  expect(await consumers()).toBe(3);
  answers(() => Promise.reject(new Error('there is no channel')));
  expect(await consumers()).toBeNull();
  answers(never);
  expect(await consumers()).toBeNull();
});

it('shows a late answer the next time, and takes its age from when it came', async () => {
  const { consumers, answers, pass } = setup();
  expect(await consumers()).toBe(3);
  let tell: (status: QueueStatus) => void = () => undefined;
  answers(() => new Promise((resolve) => (tell = resolve)));
  pass(9_000);
  expect(await consumers()).toBe(3);
  tell({ ready: 0, consumers: 5 });
  answers(never);
  pass(9_000);
  expect(await consumers()).toBe(5);
});

it('does not ask the broker for a queue that is not in QUEUES: one it does not have would close the channel', async () => {
  const { queues, inspected } = setup(['default', 'ghost']);
  const shown = await queues();
  expect(shown.map(({ queue, ready, consumers }) => [queue, ready, consumers])).toEqual([
    ['default', 1, 3],
    ['ghost', 1, null],
  ]);
  expect(inspected).toEqual(['jobs.default']);
});

it('shows each queue that a registered type needs, with those types, whether jobs are in it or not', async () => {
  const needed = new Map([
    ['images', ['image.crop', 'image.resize']],
    ['default', ['demo.echo']],
  ]);
  const shown = await setup([], needed).queues();
  expect(shown.map(({ queue, types, consumers }) => [queue, types, consumers])).toEqual([
    ['default', ['demo.echo'], 3],
    ['images', ['image.crop', 'image.resize'], null],
  ]);
});
