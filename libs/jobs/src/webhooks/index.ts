// Webhooks: where they go, their bodies, and what became of them.
export {
  webhook,
  webhookBody,
  webhookDelivery,
  webhookDeliveryList,
  webhookEvent,
  type DeliveryAttempt,
  type Webhook,
  type WebhookDelivery,
  type WebhookEvent,
} from './webhook.ts';
