import { browserVariables, refuseOpenDoors, serviceVariables } from '@offload/access';
import { webhookSecrets } from '@offload/access/secrets';
import { flag, integer, port, processVariables } from '@offload/process/config';
import { z } from 'zod';
import { webhookEndpoints } from './webhooks/endpoints.ts';
import { retrySchedule } from './webhooks/retry-schedule.ts';

/** The variables of a notifier. */
export const configSchema = z
  .object({
    ...processVariables,
    ...serviceVariables,
    ...browserVariables,
    NOTIFIER_PORT: port(3100).describe(
      'Port of the notifier. ' +
        '`npm start` counts up from it, one port a notifier. Compose reads NOTIFIER_PORTS instead.',
    ),
    MAX_STREAMS: integer(1_000, 1).describe(
      'Most event streams that one client may have open on a notifier. The notifier answers more with 429. ' +
        'A client is the name of an API key, also where its event tokens are in use. ' +
        "Without keys a client is an address: behind a proxy, the proxy's.",
    ),
    WEBHOOK_SECRETS: webhookSecrets,
    WEBHOOK_ENDPOINTS: webhookEndpoints.meta({
      description:
        'Where webhooks of all jobs go, or of the jobs that match: a list in JSON, the same for every notifier. ' +
        'Each endpoint has a name, a URL and secrets of its own (`npm run webhook-secret`). ' +
        'Optional are `events` (succeeded, failed, cancelled; all by default), `types`, `queues` and `tags`. ' +
        'An empty list of these matches every job; one matching tag is enough. In `.env` it stands in single quotes.',
      examples: [
        `'[{"name":"billing","url":"https://example.com/hook","secrets":["whsec_…"],"events":["succeeded"],"tags":[]}]'`,
      ],
    }),
    WEBHOOK_TIMEOUT_MS: integer(15_000, 1, 600_000).describe(
      'How long the receiver of a webhook may take to answer one attempt.',
    ),
    WEBHOOK_CONCURRENCY: integer(100, 1).describe('Most webhooks that each notifier sends at once.'),
    WEBHOOK_CONCURRENCY_PER_HOST: integer(10, 1).describe(
      'Most webhooks that each notifier sends to one host at once. So a dead host delays no other.',
    ),
    WEBHOOK_RETRY_SECONDS: retrySchedule.describe(
      'Pauses before the retries of a webhook that was not delivered, separated by commas. ' +
        'Each number is one retry; after the last the notifier gives the webhook up.',
    ),
    ALLOW_PRIVATE_TARGETS: flag(false).describe(
      'Whether webhooks may go to loopback and private addresses. ' +
        "They never go to link-local addresses and clouds' metadata services.",
    ),
  })
  .superRefine(refuseOpenDoors);
