import { browserVariables, refuseOpenDoors, serviceVariables } from '@offload/access';
import { webhookSecrets } from '@offload/access/secrets';
import { baseUrl, flag, integer, port, processVariables } from '@offload/process/config';
import { z } from 'zod';
import { webhookEndpoints } from './webhooks/endpoints.ts';
import { retrySchedule } from './webhooks/retry-schedule.ts';

/** The variables of the notifier; .env.example describes them. */
export const configSchema = z
  .object({
    ...processVariables,
    ...serviceVariables,
    ...browserVariables,
    NOTIFIER_PORT: port(3100),
    /** URL at which browsers reach the notifiers. The `links.events` of every job begin with it. */
    NOTIFIER_URL: baseUrl('http://127.0.0.1:3100'),
    /** Most event streams of one client. */
    MAX_STREAMS: integer(1_000, 1),
    /** Secrets that sign the webhooks of single jobs. */
    WEBHOOK_SECRETS: webhookSecrets,
    /** Endpoints that get the webhooks of all jobs, or of jobs that match. */
    WEBHOOK_ENDPOINTS: webhookEndpoints,
    /** Most time for one attempt, in milliseconds. */
    WEBHOOK_TIMEOUT_MS: integer(15_000, 1, 600_000),
    /** Most attempts at once. */
    WEBHOOK_CONCURRENCY: integer(100, 1),
    /** Most attempts at once to one host, so that a dead host delays no other. */
    WEBHOOK_CONCURRENCY_PER_HOST: integer(10, 1),
    /** Seconds to wait after the first failed attempt, the second and so on. */
    WEBHOOK_RETRY_SECONDS: retrySchedule,
    /** Whether webhooks may go to loopback and private addresses. */
    ALLOW_PRIVATE_TARGETS: flag(false),
  })
  .superRefine(refuseOpenDoors);
