// What every process needs, and nothing that only one of them does.
export { authenticate, callerOf, clientOf, requireScope, type Client } from './access.ts';
export { newApiKey, scopes, type ApiKey, type Scope } from './api-keys.ts';
export { authenticateWatcher } from './authenticate-watcher.ts';
export {
  baseUrl,
  browserVariables,
  serviceVariables,
  flag,
  integer,
  list,
  loadConfig,
  parseConfig,
  port,
} from './config.ts';
export { budgetOf } from './byte-budget.ts';
export { createBrokerTelemetry, type BrokerTelemetry } from './broker-telemetry.ts';
export { createEventTokens, eventTokensFor, type EventGrant, type EventTokens } from './event-tokens.ts';
export { allowedHosts, type AllowedHosts } from './foreign-requests.ts';
export { answers, type ReadinessCheck } from './health.ts';
export { createHttpService, listen, type HttpServiceOptions, type ListenOptions } from './http-service.ts';
export { bodyDigest, jsonBody, type JsonBodyOptions } from './json-body.ts';
export { keepHeapSmall } from './keep-heap-small.ts';
export { createLogger, type Logger } from './logger.ts';
export { startLoop, type Loop, type LoopOptions } from './loop.ts';
export { Counter, createMetrics, Gauge, Histogram, Registry } from './metrics.ts';
export {
  invalidBody,
  invalidHeader,
  invalidMember,
  invalidParameters,
  methodNotAllowed,
  Problem,
  type Fault,
} from './problem.ts';
export { createOneATurn } from './one-a-turn.ts';
export { limitRate } from './rate-limit.ts';
export { sendJson, sendPrinted, shareable } from './send-json.ts';
export { handleShutdown, type Shutdown } from './shutdown.ts';
export { delay, setTicker, setTimer } from './timers.ts';
export { newWebhookSecret, webhookSecret, webhookSecrets } from './webhook-secrets.ts';
