import { baseUrl, commonVariables, port } from '@offload/runtime';
import { z } from 'zod';

/** The notifier's part of .env.example. */
export const configSchema = z.object({
  ...commonVariables,
  NOTIFIER_PORT: port(3100),
  /** Where browsers reach the notifiers; begins `links.events` of every job. */
  NOTIFIER_URL: baseUrl('http://127.0.0.1:3100'),
});
