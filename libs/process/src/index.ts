// The foundation of every process: configuration, log, metrics, loops, timers and shutdown.
export { createBrokerTelemetry, type BrokerTelemetry } from './broker-telemetry.ts';
export { keepHeapSmall } from './keep-heap-small.ts';
export { createLogger, type Logger } from './logger.ts';
export { startLoop, type Loop, type LoopOptions } from './loop.ts';
export { Counter, createMetrics, Gauge, Histogram, Registry } from './metrics.ts';
export { createOneATurn, type OneATurn } from './one-a-turn.ts';
export type { Shutdown } from './shutdown.ts';
export { startProcess, type RunningProcess } from './start-process.ts';
export { delay, setTicker, setTimer } from './timers.ts';
