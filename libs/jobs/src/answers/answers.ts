import { z } from 'zod';
import { job } from '../job/job.ts';
import type { SerializedJob } from '../job/serialized-job.ts';

// What the calls of the api answer, apart from the job itself.

/** A job as HTTP shows it. */
export const jobWithLinks = job.extend({
  links: z.object({
    self: z.string().describe('Path of the job, on the api.'),
    events: z.string().describe("URL of the job's event stream, on a notifier."),
  }),
  position: z
    .int()
    .min(1)
    .optional()
    .describe('Of a queued job: its place in the queue, from 1; 10,001 stands for that and more. An estimate.'),
  etaMs: z
    .int()
    .nullable()
    .optional()
    .describe('Of a queued job: how long until it is likely to start, in milliseconds; null when nobody knows.'),
});
export type JobWithLinks = z.infer<typeof jobWithLinks>;

/** Adds where to read and where to watch the job; `notifierUrl` is the notifier's base URL without a final slash. */
export function withLinks(shown: z.infer<typeof job>, notifierUrl: string): JobWithLinks {
  return { ...shown, links: linksOf(shown.id, notifierUrl) };
}

/** The same as JSON. */
export function jsonWithLinks({ job, json }: SerializedJob, notifierUrl: string): string {
  return `${json.slice(0, -1)},"links":${JSON.stringify(linksOf(job.id, notifierUrl))}}`;
}

function linksOf(id: string, notifierUrl: string): JobWithLinks['links'] {
  const self = `/v1/jobs/${id}`;
  return { self, events: `${notifierUrl}${self}/events` };
}

export const jobPage = z.object({
  jobs: z.array(jobWithLinks),
  nextCursor: z.string().nullable().describe('For the next page; null when this is the last one.'),
});
export type JobPage = z.infer<typeof jobPage>;

export const jobsTaken = z.object({ jobs: z.array(jobWithLinks).describe('In the order of the request.') });
export type JobsTaken = z.infer<typeof jobsTaken>;

const jsonSchema = z.record(z.string(), z.unknown()).describe('JSON Schema, draft 2020-12.');

const jobTypeVersion = z.object({
  version: z.int(),
  upgrades: z.boolean().describe('Whether its workers run payloads of older versions too.'),
  payloadSchema: jsonSchema,
  resultSchema: jsonSchema,
  workers: z.array(z.string()).describe('Instances of the workers that run it now.'),
  lastSeenAt: z.iso.datetime().describe('When it was registered, or a worker that runs it was heard, to the minute.'),
});

export const jobTypeInfo = jobTypeVersion.omit({ upgrades: true }).extend({
  type: z.string(),
  version: z
    .int()
    .describe('What new payloads are for: the newest that a worker runs now, or the newest where none runs.'),
  description: z.string(),
  queue: z.string(),
  timeoutMs: z.int(),
  maxAttempts: z.int(),
  backoff: z.object({ baseMs: z.int(), factor: z.number(), maxMs: z.int() }),
  versions: z.array(jobTypeVersion).describe('All that are registered, the newest first.'),
});
export type JobTypeInfo = z.infer<typeof jobTypeInfo>;
export const jobTypeList = z.object({ jobTypes: z.array(jobTypeInfo) });

const queueInfo = z.object({
  queue: z.string(),
  types: z.array(z.string()).describe('The registered job types whose own queue it is, sorted.'),
  ready: z.int().describe('Queued jobs: they wait for a worker.'),
  running: z.int(),
  scheduled: z.int(),
  consumers: z
    .int()
    .nullable()
    .describe(
      'Workers that take jobs from it; null while RabbitMQ can not be asked, or where QUEUES does not name it.',
    ),
  oldestWaitingMs: z
    .int()
    .nullable()
    .describe('How long ago the queued job that waits longest was due; null when none waits.'),
  drainPerSecond: z.number().nullable().describe('Jobs that left the queue in a second, lately; null when not known.'),
});
export type QueueInfo = z.infer<typeof queueInfo>;
export const queueList = z.object({
  queues: z.array(queueInfo),
  priorities: z
    .boolean()
    .nullable()
    .describe('Whether jobs of higher priority go first: RabbitMQ does so from 4.0 on. Null before it was connected.'),
});

export const workerInfo = z.object({
  instance: z.string(),
  version: z.string().describe('Of Offload, or of a worker in another language.'),
  queues: z.array(z.string()),
  slots: z.int().describe('Jobs that it runs at once, of each queue.'),
  running: z.int().describe('Jobs that it runs now.'),
  types: z.record(z.string(), z.int()).describe('The version of each job type that it runs.'),
  draining: z.boolean().describe('It takes no new jobs.'),
  startedAt: z.iso.datetime(),
  lastHeardAt: z.iso.datetime().describe('It is heard every ten seconds; one that is not for 30 is taken to be gone.'),
});
export type WorkerInfo = z.infer<typeof workerInfo>;
export const workerList = z.object({ workers: z.array(workerInfo) });

/** RFC 9457. */
export const problem = z.object({
  type: z.string().describe('`/problems/<slug>`; stable.'),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  instance: z.string().describe('What was requested.'),
  errors: z
    .array(
      z.object({
        pointer: z.string().optional().describe('RFC 6901 pointer into the body.'),
        parameter: z.string().optional().describe('Name of a parameter of path or query.'),
        header: z.string().optional().describe('Name of a header field.'),
        detail: z.string(),
      }),
    )
    .optional()
    .describe('Each fault of the request.'),
});
