// A job, its JSON, and the schemas of single members. All doors of this library run in browsers and import zod alone.
export {
  briefOf,
  isFinished,
  jobStatus,
  type Job,
  type JobError,
  type JobProgress,
  type JobStatus,
} from './job/job.ts';
export { oncePerJob } from './job/once-per-job.ts';
export { SerializedJob } from './job/serialized-job.ts';
export { jobId, plainText, queueName } from './members/identifiers.ts';
export { storable } from './members/storable.ts';
export { time } from './members/time.ts';
