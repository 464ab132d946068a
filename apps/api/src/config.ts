import { browserVariables, refuseOpenDoors, serviceVariables } from '@offload/access';
import { webhookSecrets } from '@offload/access/secrets';
import { queueName } from '@offload/jobs';
import { baseUrl, flag, integer, list, port, processVariables } from '@offload/process/config';
import { z } from 'zod';

/** The api's part of .env.example. */
export const configSchema = z
  .object({
    ...processVariables,
    ...serviceVariables,
    ...browserVariables,
    API_PORT: port(3000),
    /** Where browsers reach the notifiers; begins `links.events` of every job. */
    NOTIFIER_URL: baseUrl('http://127.0.0.1:3100'),
    /** What notifiers sign jobs' own webhooks with; here only whether there are any. */
    WEBHOOK_SECRETS: webhookSecrets,
    /** Queues that jobs may name. */
    QUEUES: list('default', queueName),
    /** Whether other schemas replace those that are registered under the same version: `npm run dev` sets it. */
    REPLACE_SCHEMAS: flag(false),
    /** Most requests of one client that may wait for a job to finish (`Prefer: wait`). */
    MAX_WAITERS: integer(100),
    /** Most requests a minute of one client; 0 sets no limit. */
    RATE_LIMIT: integer(0),
    /** Most jobs that may wait in a queue: for all queues, and `queue=number` for single ones. */
    MAX_BACKLOG: z.string().default('1000000').transform(backlogBounds),
    /** How long a request may take to arrive, in milliseconds. */
    REQUEST_TIMEOUT_MS: integer(30_000, 100, 3_600_000),
    /** How often jobs are looked for whose dispatch message the broker has lost, in milliseconds. */
    RECONCILE_MS: integer(10_000, 100, 3_600_000),
    /** Finished jobs are deleted after so many days; 0 keeps them for ever. */
    RETENTION_DAYS: integer(30, 0, 36_500),
  })
  .superRefine(refuseOpenDoors);

/** The bound of a queue, and the queues that have one of their own. */
type BacklogBounds = ((queue: string) => number) & { queues: string[] };

function backlogBounds(text: string, context: z.RefinementCtx<string>): BacklogBounds {
  const bounds = new Map<string, number>([['', 1_000_000]]);
  for (const entry of text.split(',')) {
    const [, queue = '', number] = /^(?:([^=]+)=)?(\d{1,9})$/.exec(entry.trim()) ?? [];
    if (number === undefined || (queue !== '' && !queueName.safeParse(queue).success)) {
      context.addIssue('must be a number, or several entries "queue=number", separated by commas');
      return z.NEVER;
    }
    bounds.set(queue, Number(number));
  }
  const boundOf = (queue: string): number => bounds.get(queue) ?? (bounds.get('') as number);
  return Object.assign(boundOf, { queues: [...bounds.keys()].filter((queue) => queue !== '') });
}
