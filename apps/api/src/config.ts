import { browserVariables, refuseOpenDoors, serviceVariables } from '@offload/access';
import { webhookSecrets } from '@offload/access/secrets';
import { queueName } from '@offload/jobs';
import { flag, integer, list, port, processVariables } from '@offload/process/config';
import { z } from 'zod';

/** The variables of the api. */
export const configSchema = z
  .object({
    ...processVariables,
    ...serviceVariables,
    ...browserVariables,
    API_PORT: port(3000).describe('Port of the api. Compose publishes it on 127.0.0.1.'),
    WEBHOOK_SECRETS: webhookSecrets,
    QUEUES: list('default', queueName).describe('Queues that jobs may name, separated by commas.'),
    REPLACE_SCHEMAS: flag(false).describe(
      'Whether a registration with other schemas replaces those of the same version. ' +
        'For development alone, where `npm run dev` sets true: stored jobs may no longer fit.',
    ),
    MAX_WAITERS: integer(100).describe(
      'Most requests of one client that may wait for a job to finish (`Prefer: wait`). The api answers more with 429.',
    ),
    RATE_LIMIT: integer(0).describe(
      'Most requests a minute of one client. ' +
        'The api answers more with 429. 0 sets no limit. Each api process counts for itself.',
    ),
    MAX_BACKLOG: z
      .string()
      .default('1000000')
      .transform(backlogBounds)
      .describe(
        'Most jobs that may wait in a queue. The api answers more with 503. ' +
          'One number sets all queues; `queue=number` sets one: `100000,mail=500`.',
      ),
    REQUEST_TIMEOUT_MS: integer(30_000, 100, 3_600_000).describe(
      'How long a request may take to arrive. Then the api answers 408.',
    ),
    RECONCILE_MS: integer(10_000, 100, 3_600_000).describe(
      'How often the api looks for jobs whose dispatch message the broker lost. ' +
        'A worker that leaves liveness checks unanswered for three times as long loses its jobs; 30 seconds at least.',
    ),
    RETENTION_DAYS: integer(30, 0, 36_500).describe(
      'How long the api keeps finished jobs before it deletes them. 0 keeps them for ever.',
    ),
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
