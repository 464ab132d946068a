import { queueName } from '@offload/contracts';
import { baseUrl, commonVariables, list, port } from '@offload/runtime';
import { z } from 'zod';

/** The api's part of .env.example. */
export const configSchema = z.object({
  ...commonVariables,
  API_PORT: port(3000),
  /** Where browsers reach the notifiers; begins `links.events` of every job. */
  NOTIFIER_URL: baseUrl('http://127.0.0.1:3100'),
  /** Queues that jobs may name. */
  QUEUES: list('default', queueName),
});
