// Hooks for pages that submit a job and show it as it goes on. They keep their state in the component: there is no store.
export { useJob, type UseJobOptions, type WatchedJob } from './use-job.ts';
export { useSubmit, type Submission } from './use-submit.ts';
