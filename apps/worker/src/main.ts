import { registerTypes, startWorker } from '@offload/worker';
import { closeHandlers, runnableTypes } from './handlers.ts';

// `main.js --register-types` registers the job types and exits, so that apis accept jobs before a worker runs.
if (process.argv.includes('--register-types')) await registerTypes(runnableTypes);
else await startWorker({ handlers: runnableTypes, close: closeHandlers });
