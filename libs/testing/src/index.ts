// Tests handlers, and programs that submit jobs, without servers.
export { assertSubmitted } from './assert-submitted.ts';
export { fakeClock, type FakeClock } from './fake-clock.ts';
export { runHandler, type HandlerRun, type LogLine, type Runnable, type RunHandlerOptions } from './run-handler.ts';
export { createTestOffload, type TestOffload, type TestOffloadOptions, type TestType } from './test-offload.ts';
