import { startWorker } from '@offload/worker';
import { closeHandlers, findHandler, typesElsewhere } from './handlers.ts';

await startWorker({ findHandler, typesElsewhere, close: closeHandlers });
