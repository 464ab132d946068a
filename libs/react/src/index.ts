// React hooks that submit a job and show its progress. Their state is in the component: there is no store.
export { useJob, type UseJobOptions, type WatchedJob } from './use-job.ts';
export { useSubmit, type Submission } from './use-submit.ts';
