// The door @offload/jobs/job-types: the job types that come with Offload. The api and the client do not import it.
export { findJobDefinition, jobDefinitions, jobTypes, type JobDefinitions, type JobName } from './definitions.ts';
