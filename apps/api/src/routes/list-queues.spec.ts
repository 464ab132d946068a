import { expect, it } from '@jest/globals';
import type { Database } from '@offload/database';
import type { QueueStatus } from '@offload/messaging';
import express from 'express';
import request from 'supertest';
import type { Backlog } from '../loops/backlog.ts';
import { listQueues } from './list-queues.ts';

/** The route, with a broker that answers as the test says, and a clock. */
function setup() {
  let time = 0;
  let answer: () => Promise<QueueStatus | null> = async () => ({ ready: 0, consumers: 3 });
  const route = listQueues({
    database: { countQueues: async () => [] } as unknown as Database,
    inspector: { inspect: () => answer() },
    broker: { brokerVersion: '4.0.5' },
    backlog: { counts: () => [], drainPerSecond: () => null } as unknown as Backlog,
    queues: ['default'],
    now: () => time,
  });
  const app = express().get('/v1/queues', route);
  return {
    pass: (ms: number) => void (time += ms),
    answers: (next: typeof answer) => void (answer = next),
    consumers: async (): Promise<number | null> =>
      (await request(app).get('/v1/queues').expect(200)).body.queues[0].consumers,
  };
}

const never = () => new Promise<never>(() => undefined);

it('shows the consumers that the broker told of a moment ago while it takes its time, and none of long ago', async () => {
  const { consumers, answers, pass } = setup();
  expect(await consumers()).toBe(3);
  answers(never);
  pass(9_000);
  expect(await consumers()).toBe(3);
  pass(1_000);
  expect(await consumers()).toBeNull();
});

it('shows none while the broker can not say, whatever it told before', async () => {
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
