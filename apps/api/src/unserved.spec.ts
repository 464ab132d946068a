import { expect, it } from '@jest/globals';
import { defineJob } from '@offload/jobs/definitions';
import { z } from 'zod';
import { obeysPriorities, unservedBy } from './unserved.ts';

const typeIn = (type: string, queue: string) =>
  defineJob({ type, description: 'Of a spec', payload: z.object(), result: z.null(), policy: { queue } });
const definitions = [typeIn('mail.send', 'mail'), typeIn('report.build', 'reports')];

it('names each job type whose queue is not in QUEUES', () => {
  expect(unservedBy({ queues: ['mail'], bounded: [], definitions })).toEqual([
    'jobs of type report.build are refused unless they name another queue: QUEUES does not name their own, "reports"',
  ]);
});

it('names each queue of MAX_BACKLOG that is not in QUEUES', () => {
  expect(unservedBy({ queues: ['mail', 'reports'], bounded: ['mail', 'mial'], definitions })).toEqual([
    'MAX_BACKLOG has a bound for the queue "mial", which QUEUES does not name',
  ]);
});

it('has nothing to say of the defaults', () => {
  expect(unservedBy({ queues: ['default'], bounded: [] })).toEqual([]);
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
