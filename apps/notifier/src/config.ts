import { browserVariables, refuseOpenDoors, serviceVariables } from '@offload/access';
import { webhookSecrets } from '@offload/access/secrets';
import { baseUrl, flag, integer, port, processVariables } from '@offload/process/config';
import { z } from 'zod';
import { webhookEndpoints } from './webhooks/endpoints.ts';
import { retrySchedule } from './webhooks/retry-schedule.ts';

/** The notifier's part of .env.example. */
export const configSchema = z
  .object({
    ...processVariables,
    ...serviceVariables,
    ...browserVariables,
    NOTIFIER_PORT: port(3100),
    /** Where browsers reach the notifiers; begins `links.events` of every job. */
    NOTIFIER_URL: baseUrl('http://127.0.0.1:3100'),
    /** Most event streams of one client. */
    MAX_STREAMS: integer(1_000, 1),
    /** What jobs' own webhooks are signed with. */
    WEBHOOK_SECRETS: webhookSecrets,
    /** Where the webhooks of all jobs go, or of those that match. */
    WEBHOOK_ENDPOINTS: webhookEndpoints,
    /** How long one attempt may take, in milliseconds. */
    WEBHOOK_TIMEOUT_MS: integer(15_000, 1, 600_000),
    /** Most attempts at once. */
    WEBHOOK_CONCURRENCY: integer(100, 1),
    /** Most of them to one host, so that a dead one delays no other. */
    WEBHOOK_CONCURRENCY_PER_HOST: integer(10, 1),
    /** How long to wait after the first attempt that failed, the second and so on. */
    WEBHOOK_RETRY_SECONDS: retrySchedule,
    /** Whether webhooks may go to loopback and private addresses. */
    ALLOW_PRIVATE_TARGETS: flag(false),
  })
  .superRefine(refuseOpenDoors);
