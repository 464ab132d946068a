// The door @offload/jobs/job-types: the job types that come with Offload. The api and the client know none of them.
export { findJobDefinition, jobDefinitions, jobTypes, type JobDefinitions, type JobName } from './definitions.ts';
