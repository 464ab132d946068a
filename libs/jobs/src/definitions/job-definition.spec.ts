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

it('accepts the longest timeout that a job may have', () => {
  expect(define(MAX_TIMEOUT_MS).policy).toMatchObject({ timeoutMs: MAX_TIMEOUT_MS, maxAttempts: 5 });
});

const versioned = { type: 'report.build', description: 'Builds', payload: z.object(), result: z.null() };

it.each([0, 1.5, NaN, 1_000_001])('refuses the version %d', (version) => {
  expect(() => defineJob({ ...versioned, version, upgrade: (old) => old })).toThrow(/version must be a whole number/);
});

it('needs an upgrade from version 2 on', () => {
  expect(defineJob(versioned).version).toBe(1);
  expect(() => defineJob({ ...versioned, version: 2 })).toThrow(/version 2 needs an upgrade/);
  expect(defineJob({ ...versioned, version: 2, upgrade: (old) => old }).version).toBe(2);
});

it.each(['', 'report', 'report/build'])('refuses the type "%s"', (type) => {
  expect(() => defineJob({ ...versioned, type })).toThrow(/its type must be two words or more/);
});
