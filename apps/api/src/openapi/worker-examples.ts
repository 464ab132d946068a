// Read by people at /docs. Tests hold each of them against its schema.
import { jobExample } from './examples.ts';

export const claimExamples = {
  first: {
    ...{
      jobId: jobExample.id,
      dispatchId: '5f0c6a5e-0f3b-4a43-9d0c-6a3b1a0f2c11',
      redelivered: false,
      deliveryCount: 0,
    },
    ...{ claimId: '0b7e3a52-7a39-4d0e-8f55-3f1f6f0f7c55', holder: 'python-1' },
  },
};

export const claimedExample = { attempt: 1, typeVersion: 1, timeoutMs: 60_000, job: jobExample };

const timeout = { code: 'timeout', message: 'took longer than 60000 ms' };
export const outcomeExamples = {
  succeeded: { status: 'succeeded', result: { words: 42 } },
  failedForGood: { status: 'failed', error: { code: 'permanent', message: 'there is no such page' } },
  again: { status: 'scheduled', error: timeout },
  againAtItsTime: { status: 'scheduled', error: timeout, delayMs: 60_000 },
  notNow: { status: 'scheduled', delayMs: 5_000 },
  givenBack: { status: 'queued' },
  cancelled: { status: 'cancelled' },
};

export const holdingsExamples = { none: [], one: [{ jobId: jobExample.id, attempt: 1 }] };

export const workerExamples = {
  one: { version: '1.0.0', queues: ['default'], slots: 4, types: { 'text.count': 1 } },
};
