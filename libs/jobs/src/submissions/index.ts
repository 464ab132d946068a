// What is posted to make jobs.
export { jobBatch, jobSubmission, type JobSubmission } from './job-submission.ts';
