import { queueName } from '@offload/jobs';
import { processVariables, flag, integer, list, port } from '@offload/process/config';
import { refuseOpenDoors, serviceVariables } from '@offload/access';
import { z } from 'zod';

/** The worker's part of .env.example. */
export const configSchema = z
  .object({
    ...processVariables,
    ...serviceVariables,
    /** For health and metrics only. */
    WORKER_PORT: port(3200),
    /** Jobs that run at once, of each queue. */
    WORKER_CONCURRENCY: integer(10, 1, 1_000),
    /** How long the event loop may be blocked before the log says so and names the jobs that run, in milliseconds. */
    LOOP_BLOCKED_MS: integer(1_000, 100, 60_000),
    /** Queues that are worked on. */
    QUEUES: list('default', queueName),
    /** Whether other schemas replace those that are registered under the same version: `npm run dev` sets it. */
    REPLACE_SCHEMAS: flag(false),
    /** Whether `http.request` and `csv.profile` may reach loopback and private addresses. */
    ALLOW_PRIVATE_TARGETS: flag(false),
  })
  .superRefine(refuseOpenDoors);
