import { expect, it } from '@jest/globals';
import { examine } from './examine.ts';
import type { Look, RunningLook } from './look.ts';
import { report, reportJson } from './report.ts';

const running: RunningLook = {
  id: '01a1fba9-679a-75c8-9117-2a8c29e05854',
  type: 'demo.sleep',
  queue: 'default',
  attempt: 2,
  holder: 'worker-1\u001b[2J',
  silentMs: 12_000,
  cancelRequested: false,
  answered: false,
};
const look: Look = {
  at: new Date('2026-11-21T07:31:02.123Z'),
  calledAt: 0,
  queues: [
    {
      queue: 'default',
      named: true,
      types: [],
      scheduled: 12,
      pending: 0,
      dispatched: 3,
      running: 1,
      broker: { waiting: 1, consumers: 2 },
      silent: null,
      lost: ['a', 'b'],
    },
    {
      queue: 'mail',
      named: true,
      types: [],
      scheduled: 0,
      pending: 0,
      dispatched: 0,
      running: 0,
      broker: null,
      silent: null,
      lost: [],
    },
  ],
  overdue: { count: 0, oldestMs: 0 },
  undispatched: 0,
  running: [running, ...Array.from({ length: 11 }, () => ({ ...running, holder: 'worker-2', answered: true }))],
  deadLetters: 0,
  notCalled: null,
};
const places = { database: 'postgresql://db/offload', broker: 'amqp://broker' };

it('fits one screen: figures, running jobs, findings and remedies', () => {
  const text = report(look, examine(look), places);
  expect(text.split('\n').slice(0, 11)).toEqual([
    '2026-11-21 07:31:02Z  postgresql://db/offload  amqp://broker',
    '',
    'queue    scheduled  pending  dispatched  messages waiting  consumers  running',
    'default         12        0           3                 1          2        1',
    'mail             0        0           0                 -          -        0',
    '',
    'overdue        none',
    'dead letters   0',
    'running        12 jobs',
    '',
    'job                                   type        queue    attempt  holder             last heard of  liveness check',
  ]);
  expect(text).toContain('and 2 more');
  expect(text).toContain('1. 2 queued jobs of default wait for a dispatch message');
  expect(text).toContain('\n2. The broker has no queue jobs.mail.\n   --repair declares it;');
  expect(text).not.toContain('\u001b');
});

it('ends with one sentence when all agrees', () => {
  const sound = { ...look, queues: [], running: [] };
  expect(report(sound, examine(sound), places).endsWith('\n\nDatabase and broker agree.')).toBe(true);
});

it('has all facts for programs, under names of their own', () => {
  const json = JSON.parse(reportJson(look, examine(look), ['done'])) as Record<string, unknown>;
  expect(Object.keys(json)).toEqual(
    'at agrees queues overdue undispatched deadLetters livenessCheck running findings notes repaired'.split(' '),
  );
  expect(json).toMatchObject({ agrees: false, repaired: ['done'], running: { length: 12 } });
  expect(reportJson(look, { findings: [], notes: [] }, null)).toContain('"agrees": true');
});
