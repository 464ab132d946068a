// The door @offload/access/secrets: parses API keys and webhook secrets, and makes new ones.
export { apiKeys, newApiKey, scopes, type Scope } from './api-keys.ts';
export { newWebhookSecret, webhookSecret, webhookSecrets } from './webhook-secrets.ts';
