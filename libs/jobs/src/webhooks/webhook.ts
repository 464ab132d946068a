import { z } from 'zod';
import { httpUrl } from '../members/http-url.ts';
import { jobWithLinks } from '../answers/answers.ts';
import { cloudEvent } from '../events/job-event.ts';

/** Schema of a final status of a job, which triggers a webhook. */
export const webhookEvent = z.enum(['succeeded', 'failed', 'cancelled']);
/** See {@link webhookEvent}. */
export type WebhookEvent = z.infer<typeof webhookEvent>;

const events = z
  .array(webhookEvent)
  .min(1)
  .refine((list) => new Set(list).size === list.length, 'names an event twice')
  .meta({ uniqueItems: true });

/** Schema of a job's own webhook: its URL, and the final statuses that trigger it. */
export const webhook = z.strictObject({
  url: httpUrl.describe('Absolute http or https URL without credentials. It must not lead to an internal address.'),
  events: events
    .default(() => [...webhookEvent.options])
    .describe('The final statuses that trigger the webhook; all by default.'),
});
/** See {@link webhook}. */
export type Webhook = z.infer<typeof webhook>;

/** Schema of a webhook's body: the event of the job, with the links of the job added. */
export const webhookBody = cloudEvent(jobWithLinks);

/** The outcome of one attempt to deliver a webhook. */
const deliveryAttempt = z.object({
  number: z
    .int()
    .min(1)
    .describe(
      'Counts from 1. A missing number is an interrupted attempt: the notifier does not know whether it arrived.',
    ),
  at: z.iso.datetime(),
  durationMs: z.int(),
  status: z.int().nullable().describe('HTTP status of the response; null where there was no response.'),
  error: z.string().nullable().describe('Why the attempt failed; null where it succeeded.'),
});
/** The outcome of one attempt to deliver a webhook. */
export type DeliveryAttempt = z.infer<typeof deliveryAttempt>;

/** Schema of a webhook delivery: one webhook with each attempt to send it. */
export const webhookDelivery = z.object({
  id: z.uuid().describe('The `webhook-id` of every attempt.'),
  jobId: z.uuid(),
  endpoint: z.string().nullable().describe("Name of the configured endpoint; null for the job's own webhook."),
  url: z.string().describe('URL of the receiver. For a configured endpoint it has no path and no query.'),
  event: webhookEvent,
  status: z.enum(['pending', 'delivered', 'failed']).describe('`failed` means that the notifier has given up.'),
  error: z.string().nullable().describe('Why the notifier has given up; null where it has not.'),
  attempts: z.array(deliveryAttempt).describe('The last 100 attempts, oldest first.'),
  createdAt: z.iso.datetime(),
  nextAttemptAt: z.iso
    .datetime()
    .nullable()
    .describe(
      'Earliest time of the next attempt while the delivery is pending and no notifier is sending it; else null.',
    ),
  endedAt: z.iso.datetime().nullable().describe('When it was delivered or given up; null while it is pending.'),
});
/** See {@link webhookDelivery}. */
export type WebhookDelivery = z.infer<typeof webhookDelivery>;

/** The answer of `GET /v1/jobs/{id}/deliveries`. */
export const webhookDeliveryList = z.object({
  deliveries: z.array(webhookDelivery).describe('Oldest first.'),
});
