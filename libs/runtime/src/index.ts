// What every process needs, and nothing that only one of them does.
export { authenticate, callerOf, clientOf, requireScope, type Client } from './access.ts';
export { newApiKey, scopes, type ApiKey, type Scope } from '@offload/access';
export { authenticateWatcher } from '@offload/access';
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
export { budgetOf } from '@offload/http';
export { createBrokerTelemetry, type BrokerTelemetry } from '@offload/process';
export { createEventTokens, eventTokensFor, type EventGrant, type EventTokens } from '@offload/access';
export { allowedHosts, type AllowedHosts } from '@offload/http';
export { answers, type ReadinessCheck } from '@offload/http';
export { createHttpService, listen, type HttpServiceOptions, type ListenOptions } from '@offload/http';
export { bodyDigest, jsonBody, type JsonBodyOptions } from '@offload/http';
export { keepHeapSmall } from '@offload/process';
export { createLogger, type Logger } from '@offload/process';
export { startLoop, type Loop, type LoopOptions } from '@offload/process';
export { Counter, createMetrics, Gauge, Histogram, Registry } from '@offload/process';
export {
  invalidBody,
  invalidHeader,
  invalidMember,
  invalidParameters,
  methodNotAllowed,
  Problem,
  type Fault,
} from '@offload/http';
export { createOneATurn } from '@offload/http';
export { limitRate } from '@offload/access';
export { sendJson, sendPrinted, shareable } from '@offload/http';
export { handleShutdown, type Shutdown } from '@offload/process';
export { delay, setTicker, setTimer } from '@offload/process';
export { newWebhookSecret, webhookSecret, webhookSecrets } from './webhook-secrets.ts';
