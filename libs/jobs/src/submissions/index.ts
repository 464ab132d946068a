// The door @offload/jobs/submissions: the bodies of requests that make jobs.
export { jobBatch, jobSubmission, type JobSubmission } from './job-submission.ts';
