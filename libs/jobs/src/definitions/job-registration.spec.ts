import { expect, it } from '@jest/globals';
import { z } from 'zod';
import { defineJob } from './job-definition.ts';
import { registrationOf } from './job-registration.ts';

it('describes a definition without its code', () => {
  const definition = defineJob({
    ...{ type: 'image.resize', version: 2, description: 'Scales', policy: { queue: 'images', maxAttempts: 2 } },
    payload: z.strictObject({ width: z.int().min(1).default(640) }),
    result: z.object({ bytes: z.int().transform(String) }),
    upgrade: (old) => old,
  });
  expect(registrationOf(definition)).toMatchObject({
    ...{ type: 'image.resize', version: 2, description: 'Scales', queue: 'images', maxAttempts: 2, timeoutMs: 60_000 },
    ...{ backoff: { baseMs: 1_000, factor: 2, maxMs: 300_000 }, upgrades: true },
    payloadSchema: {
      properties: { width: { type: 'integer', minimum: 1, default: 640 } },
      additionalProperties: false,
    },
    resultSchema: { type: 'object', properties: { bytes: {} } },
  });
});

it('refuses a policy out of range', () => {
  const policy = { queue: 'dead' };
  const definition = defineJob({ type: 'spec.job', description: '', payload: z.null(), result: z.null(), policy });
  expect(() => registrationOf(definition)).toThrow(/exchanges/);
});
