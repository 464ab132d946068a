import { plainText, queueName } from '@offload/jobs';
import { jobTypeName } from '@offload/jobs/definitions';
import { webhook } from '@offload/jobs/webhooks';
import type { WebhookEndpoint } from '@offload/database/webhooks';
import { webhookSecret } from '@offload/access/secrets';
import { z } from 'zod';

/** An endpoint for the webhooks of all jobs, or of jobs that match, with its secrets. */
export interface SignedEndpoint extends WebhookEndpoint {
  /** Each secret adds a signature, so that a receiver may know the old or the new one during a change. */
  secrets: readonly string[];
}

const endpoint = webhook.extend({
  url: webhook.shape.url.transform((url) => new URL(url).href), // as it goes over the wire
  name: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'has 1 to 63 of a-z, 0-9, ".", "_" and "-"'),
  secrets: z.array(webhookSecret).min(1).max(5),
  types: z.array(jobTypeName).default([]),
  queues: z.array(queueName).default([]),
  tags: z.array(plainText(64)).default([]),
});

const endpoints = z
  .array(endpoint)
  .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, 'two have the same name');

/**
 * Parses `WEBHOOK_ENDPOINTS`: a JSON list of `{ name, url, secrets, events, types, queues, tags }`. The last four are
 * optional filters; omitted means no filter. A fault names its place, and repeats no text that may be a secret.
 *
 * @default none
 */
export const webhookEndpoints = z
  .string()
  .default('[]')
  .transform((text, context): SignedEndpoint[] => {
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      context.addIssue('is not JSON'); // the parser's own message quotes the text
      return z.NEVER;
    }
    const parsed = endpoints.safeParse(json);
    if (parsed.success) return parsed.data;
    for (const { path, message } of parsed.error.issues) context.addIssue(`${pointer(path)}: ${message}`);
    return z.NEVER;
  });

function pointer(path: readonly PropertyKey[]): string {
  return path.length === 0 ? 'the list' : path.map((part) => `/${String(part)}`).join('');
}
