import { queueName } from '@offload/contracts';
import { baseUrl, commonVariables, integer, list, port } from '@offload/runtime';
import { z } from 'zod';

/** The api's part of .env.example. */
export const configSchema = z.object({
  ...commonVariables,
  API_PORT: port(3000),
  /** Where browsers reach the notifiers; begins `links.events` of every job. */
  NOTIFIER_URL: baseUrl('http://127.0.0.1:3100'),
  /** Queues that jobs may name. */
  QUEUES: list('default', queueName),
  /** How often jobs are looked for whose ring the broker has lost, in milliseconds. */
  RECONCILE_MS: integer(10_000, 100, 3_600_000),
  /** Finished jobs are deleted after so many days; 0 keeps them for ever. */
  RETENTION_DAYS: integer(30, 0, 36_500),
});
