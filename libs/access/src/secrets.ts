// The door @offload/access/secrets: what API keys and the secrets of webhooks look like, and how to make new ones.
export { apiKeys, newApiKey, scopes, type Scope } from './api-keys.ts';
export { newWebhookSecret, webhookSecret, webhookSecrets } from './webhook-secrets.ts';
