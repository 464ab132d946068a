import type { Control, Dispatch } from '@offload/job-messages';
import type { Job } from '@offload/jobs';
import type { JobWithLinks } from '@offload/jobs/answers';
import { eventOf } from '@offload/jobs/events';
import { jobExample } from '../openapi/examples.ts';

// The document shows these examples to people and code generators. Tests check them by the schemas.

const { links, ...running } = jobExample;
const finished = {
  ...{ ...running, status: 'succeeded', version: 12, result: { sleptMs: 10_001 } },
  ...{ progress: { percent: 100, message: '10 of 10 s' }, finishedAt: '2026-11-21T08:00:10.022Z', durationMs: 10_010 },
} as Job;
const withLinks: JobWithLinks = { ...finished, links };

export const dispatchExample: Dispatch = { jobId: finished.id, type: finished.type };
export const eventExample = eventOf(finished);
export const cancelExample: Control = { command: 'cancel', jobId: finished.id };
export const livenessCheckExample: Control = { command: 'liveness-check' };
export const registrationExample = { types: ['image.resize'] };
export const webhookExample = eventOf(withLinks);
export const traceparentExample = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
export const webhookHeadersExample = {
  'webhook-id': '019ac5f8-c671-7b0c-9a55-0d9c2f5e4d11',
  'webhook-timestamp': '1795248010',
  'webhook-signature': 'v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=',
};
