// The door @offload/jobs/definitions: defines and registers job types, and parses and stores their payloads.
export { boundedParse } from './bounded-parse.ts';
export {
  defaultPolicy,
  defineJob,
  MAX_TIMEOUT_MS,
  type Backoff,
  type JobDefinition,
  type Payload,
  type Result,
} from './job-definition.ts';
export { jobTypeName } from '../members/identifiers.ts';
export { jobRegistration, registrationOf, type JobRegistration } from './job-registration.ts';
export { retryDelayMs } from './retry-delay.ts';
export { comparableText, schemaDifferences, type JsonSchema } from './schema-differences.ts';
export { storedPayload } from './stored-payload.ts';
