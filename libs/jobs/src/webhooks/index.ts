// The door @offload/jobs/webhooks: the webhooks of jobs, their bodies and their deliveries.
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
