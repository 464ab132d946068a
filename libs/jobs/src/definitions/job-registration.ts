import { z } from 'zod';
import { jobTypeName, queueName } from '../members/identifiers.ts';
import { backoff } from '../members/backoff.ts';
import { defaultPolicy, MAX_TIMEOUT_MS, MAX_VERSION, type JobDefinition } from './job-definition.ts';

const jsonSchema = z.record(z.string(), z.unknown()).describe('JSON Schema, draft 2020-12.');

/** One version of a job type, as it is registered: what is said of it without its code. */
export const jobRegistration = z.strictObject({
  type: jobTypeName,
  version: z.int().min(1).max(MAX_VERSION).default(1),
  description: z.string().max(1_000).default(''),
  queue: queueName.default(defaultPolicy.queue),
  timeoutMs: z.int().min(1).max(MAX_TIMEOUT_MS).default(defaultPolicy.timeoutMs),
  maxAttempts: z.int().min(1).max(100).default(defaultPolicy.maxAttempts),
  backoff: backoff.prefault({}),
  upgrades: z
    .boolean()
    .default(false)
    .describe('Whether the workers of this version run payloads of older versions too.'),
  payloadSchema: jsonSchema,
  resultSchema: jsonSchema.default({}),
});
/** See {@link jobRegistration}. */
export type JobRegistration = z.output<typeof jobRegistration>;

/**
 * Makes the registration of a definition, which a worker writes at its start.
 *
 * @throws z.ZodError when the policy is out of range
 */
export function registrationOf(definition: JobDefinition): JobRegistration {
  const { type, version, description, payload, result, policy, upgrade } = definition;
  return jobRegistration.parse({
    ...{ type, version, description, ...policy, upgrades: upgrade !== undefined },
    payloadSchema: z.toJSONSchema(payload, { io: 'input' }),
    // JSON Schema can't describe what a transform returns: it may be anything.
    resultSchema: z.toJSONSchema(result, { io: 'output', unrepresentable: 'any' }),
  });
}
