// What every process needs, and nothing that only one of them does.
export { baseUrl, commonVariables, flag, integer, list, loadConfig, parseConfig, port } from './config.ts';
export { createBrokerTelemetry, type BrokerTelemetry } from './broker-telemetry.ts';
export { answers, type ReadinessCheck } from './health.ts';
export { createHttpService, listen, type HttpServiceOptions } from './http-service.ts';
export { createLogger, type Logger } from './logger.ts';
export { Counter, createMetrics, Gauge, Histogram, Registry } from './metrics.ts';
export { invalidBody, invalidMember, invalidParameters, methodNotAllowed, Problem, type Fault } from './problem.ts';
export { handleShutdown, type Shutdown } from './shutdown.ts';
