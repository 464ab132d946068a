import { expect, it } from '@jest/globals';
import { obeysPriorities, tellUnserved, unknownBounds } from './unserved.ts';

it('reports each job type whose queue is not in QUEUES, once', () => {
  const told: string[] = [];
  const tell = tellUnserved(['mail'], (fault) => told.push(fault));
  const types = [
    { type: 'mail.send', queue: 'mail' },
    { type: 'report.build', queue: 'reports' },
  ];
  tell(types);
  tell(types);
  expect(told).toEqual([
    'jobs of type report.build are refused unless they name another queue: QUEUES does not name their own, "reports"',
  ]);
});

it('names each queue of MAX_BACKLOG that is not in QUEUES', () => {
  expect(unknownBounds(['mail', 'reports'], ['mail', 'mial'])).toEqual([
    'MAX_BACKLOG has a bound for the queue "mial", which QUEUES does not name',
  ]);
});

it.each([
  ['3.10.8', false],
  ['3.13.7', false],
  ['4.0.5', true],
  ['4.2.1', true],
  ['10.0.0', true],
  ['unknown', null],
  [undefined, null],
])('RabbitMQ %s obeys priorities: %s', (version, obeys) => {
  expect(obeysPriorities(version)).toBe(obeys);
});
