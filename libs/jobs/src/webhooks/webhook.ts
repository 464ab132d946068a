import { z } from 'zod';
import { httpUrl } from '../members/http-url.ts';
import { jobWithLinks } from '../answers/answers.ts';
import { cloudEvent } from '../events/job-event.ts';

/** How a job can end, and so what a webhook can tell. */
export const webhookEvent = z.enum(['succeeded', 'failed', 'cancelled']);
export type WebhookEvent = z.infer<typeof webhookEvent>;

const events = z
  .array(webhookEvent)
  .min(1)
  .refine((list) => new Set(list).size === list.length, 'names an event twice')
  .meta({ uniqueItems: true });

/** Where a job's end is to be told, and which ends. */
export const webhook = z.strictObject({
  url: httpUrl.describe('Absolute, http or https, without credentials. It must not lead inside.'),
  events: events.default(() => [...webhookEvent.options]).describe('All unless given.'),
});
export type Webhook = z.infer<typeof webhook>;

/** The body of a webhook: the event as all listeners get it, and the job with its links. */
export const webhookBody = cloudEvent(jobWithLinks);

/** What became of one attempt to deliver a webhook. */
const deliveryAttempt = z.object({
  number: z.int().min(1).describe('One that is missing was interrupted: nobody knows whether it arrived.'),
  at: z.iso.datetime(),
  durationMs: z.int(),
  status: z.int().nullable().describe('HTTP status of the response; null where there was none.'),
  error: z.string().nullable().describe('Why it was not delivered; null where it was.'),
});
export type DeliveryAttempt = z.infer<typeof deliveryAttempt>;

/** A webhook that is pending, or was. */
export const webhookDelivery = z.object({
  id: z.uuid().describe('The `webhook-id` of every attempt.'),
  jobId: z.uuid(),
  endpoint: z.string().nullable().describe("Name of the configured endpoint; null for the job's own webhook."),
  url: z.string().describe('Where it goes; of a configured endpoint without path and query.'),
  event: webhookEvent,
  status: z.enum(['pending', 'delivered', 'failed']).describe('`failed` was given up.'),
  error: z.string().nullable().describe('Why it was given up; null where it was not.'),
  attempts: z.array(deliveryAttempt).describe('Oldest first, the last 100.'),
  createdAt: z.iso.datetime(),
  nextAttemptAt: z.iso.datetime().nullable().describe('Of a pending one that nobody is sending just now; not before.'),
  endedAt: z.iso.datetime().nullable().describe('When it was delivered or given up.'),
});
export type WebhookDelivery = z.infer<typeof webhookDelivery>;

export const webhookDeliveryList = z.object({
  deliveries: z.array(webhookDelivery).describe('Oldest first.'),
});
