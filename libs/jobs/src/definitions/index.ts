// Job types: how they are defined, those that there are, and how their payloads are parsed and stored.
export { boundedParse } from './bounded-parse.ts';
export { defaultPolicy, defineJob, MAX_TIMEOUT_MS, type Backoff, type JobDefinition } from './job-definition.ts';
export {
  findJobDefinition,
  jobDefinitions,
  jobTypes,
  type JobDefinitions,
  type JobName,
  type Payload,
  type Result,
} from './job-definitions.ts';
export { storedPayload } from './stored-payload.ts';
