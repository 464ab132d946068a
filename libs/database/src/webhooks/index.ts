// The door @offload/database/webhooks: what the notifier takes, sends and records through `database.webhooks`.
export type { Webhooks } from './open-webhooks.ts';
export type { RecordedAttempt } from './record-attempts.ts';
export type { WebhookEndpoint } from './register-endpoints.ts';
export type { TakenWebhook } from './take-webhooks.ts';
