import { registerTypes, startWorker } from '@offload/worker';
import { closeHandlers, runnableTypes } from './handlers.ts';

// `main.js --register-types` makes the job types known and ends: for apis that are to take jobs before a worker runs.
if (process.argv.includes('--register-types')) await registerTypes(runnableTypes);
else await startWorker({ handlers: runnableTypes, close: closeHandlers });
