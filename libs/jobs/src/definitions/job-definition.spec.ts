import { expect, it } from '@jest/globals';
import { z } from 'zod';
import { defineJob, MAX_TIMEOUT_MS } from './job-definition.ts';

const define = (timeoutMs: number) =>
  defineJob({
    type: 'report.build',
    description: 'Builds',
    payload: z.object(),
    result: z.null(),
    policy: { timeoutMs },
  });

it.each([0, -1, NaN, MAX_TIMEOUT_MS + 1, 2 ** 31, Infinity])('refuses a timeout of %d ms, and names the type', (ms) => {
  expect(() => define(ms)).toThrow(
    new TypeError('report.build: policy.timeoutMs must be from 1 to 7200000 milliseconds'),
  );
});

it('takes the longest timeout that a job may have', () => {
  expect(define(MAX_TIMEOUT_MS).policy).toMatchObject({ timeoutMs: MAX_TIMEOUT_MS, maxAttempts: 5 });
});
