// Who may call, and how often: API keys, event tokens, the secrets of webhooks, and the variables that say so.
export { authenticate, callerOf, clientOf, requireScope, type Client } from './access.ts';
export { newApiKey, scopes, type ApiKey, type Scope } from './api-keys.ts';
export { authenticateWatcher } from './authenticate-watcher.ts';
export { createEventTokens, eventTokensFor, type EventGrant, type EventTokens } from './event-tokens.ts';
export { limitRate } from './rate-limit.ts';
export { browserVariables, refuseOpenDoors, serviceVariables } from './service-variables.ts';
export { newWebhookSecret, webhookSecret, webhookSecrets } from './webhook-secrets.ts';
