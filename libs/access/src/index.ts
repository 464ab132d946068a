// Who may call, and how often: identities, event tokens, the rate limit, and their variables.
export { authenticate, callerOf, clientOf, requireScope, type Client } from './access.ts';
export { type ApiKey } from './api-keys.ts';
export { authenticateWatcher } from './authenticate-watcher.ts';
export { createEventTokens, eventTokensFor, type EventGrant, type EventTokens } from './event-tokens.ts';
export { limitRate } from './rate-limit.ts';
export { browserVariables, refuseOpenDoors, serviceVariables } from './service-variables.ts';
