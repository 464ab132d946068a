import { queueName } from '@offload/jobs';
import { processVariables, flag, integer, list, port } from '@offload/process/config';
import { refuseOpenDoors, serviceVariables } from '@offload/access';
import { z } from 'zod';

/** The variables of a worker. */
export const configSchema = z
  .object({
    ...processVariables,
    ...serviceVariables,
    WORKER_PORT: port(3200).describe(
      'Port for health and metrics. ' +
        '`npm start` counts up from it, one port a worker. Compose does not publish the port.',
    ),
    WORKER_CONCURRENCY: integer(10, 1, 1_000).describe(
      'Most jobs of each queue that a worker runs at once. A handler may set a lower limit for its type. ' +
        'A worker runs no more `csv.profile` jobs than the machine has cores; the others wait.',
    ),
    LOOP_BLOCKED_MS: integer(1_000, 100, 60_000).describe(
      "How long a job may block a worker's event loop before the log names the job.",
    ),
    QUEUES: list('default', queueName).describe('Queues that the worker consumes, separated by commas.'),
    REPLACE_SCHEMAS: flag(false).describe(
      'Whether a registration with other schemas replaces those of the same version. ' +
        'For development alone, where `npm run dev` sets true: stored jobs may no longer fit.',
    ),
    ALLOW_PRIVATE_TARGETS: flag(false).describe(
      'Whether `http.request` and `csv.profile` may reach loopback and private addresses. ' +
        "They never reach link-local addresses and clouds' metadata services.",
    ),
  })
  .superRefine(refuseOpenDoors);
