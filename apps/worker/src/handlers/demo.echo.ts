import type { JobDefinitions } from '@offload/jobs/job-types';
import type { Handler } from '@offload/worker';

/** Returns its message at once. */
export const demoEcho: Handler<JobDefinitions['demoEcho']> = ({ message }) =>
  Promise.resolve({ message, calledAtMs: performance.timeOrigin + performance.now() });
