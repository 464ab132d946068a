// Makes a program a worker: it claims jobs, runs their handlers, settles and publishes the jobs, and acknowledges.
export { answerTasks } from './answer-tasks.ts';
export {
  atMost,
  PermanentError,
  RetryAfterError,
  SnoozeError,
  type Handler,
  type HandlerContext,
  type Prepare,
} from './handler.ts';
export { registerTypes } from './register-types.ts';
export { handle, type RunnableType } from './runnable-type.ts';
export type { Slots } from './slots.ts';
export { stackOf } from './stack-of.ts';
export { startWorker, type WorkerOptions } from './start-worker.ts';
export { createThreads, type Threads, type ThreadsOptions } from './threads.ts';
