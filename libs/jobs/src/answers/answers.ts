import { z } from 'zod';
import { job } from '../job/job.ts';
import type { SerializedJob } from '../job/serialized-job.ts';

// The schemas of the api's answers, apart from the job itself.

/** A job in an answer of the api: the job with its links. */
export const jobWithLinks = job.extend({
  links: z.object({
    self: z.string().describe('Path of the job, on the api.'),
    events: z.string().describe("URL of the job's event stream, on a notifier."),
  }),
  position: z
    .int()
    .min(1)
    .optional()
    .describe('Place of a queued job in its queue, from 1. An estimate; 10,001 means 10,001 or more.'),
  etaMs: z
    .int()
    .nullable()
    .optional()
    .describe('Milliseconds until a queued job is likely to start; null when the api cannot estimate it.'),
});
/** See {@link jobWithLinks}. */
export type JobWithLinks = z.infer<typeof jobWithLinks>;

/**
 * Adds the links of a job: its own path, and the URL of its event stream.
 *
 * @param notifierUrl base URL of the notifier, without a final slash
 */
export function withLinks(shown: z.infer<typeof job>, notifierUrl: string): JobWithLinks {
  return { ...shown, links: linksOf(shown.id, notifierUrl) };
}

/** Writes the JSON of a job with its links: see {@link withLinks}. */
export function jsonWithLinks({ job, json }: SerializedJob, notifierUrl: string): string {
  return `${json.slice(0, -1)},"links":${JSON.stringify(linksOf(job.id, notifierUrl))}}`;
}

function linksOf(id: string, notifierUrl: string): JobWithLinks['links'] {
  const self = `/v1/jobs/${id}`;
  return { self, events: `${notifierUrl}${self}/events` };
}

/** The answer of `GET /v1/jobs`: one page of jobs, newest first. */
export const jobPage = z.object({
  jobs: z.array(jobWithLinks),
  nextCursor: z.string().nullable().describe('The `cursor` of the next page; null on the last page.'),
});
/** See {@link jobPage}. */
export type JobPage = z.infer<typeof jobPage>;

/** The answer of `POST /v1/jobs/batch`: the accepted jobs. */
export const jobsTaken = z.object({ jobs: z.array(jobWithLinks).describe('In the order of the request.') });
/** See {@link jobsTaken}. */
export type JobsTaken = z.infer<typeof jobsTaken>;

const jsonSchema = z.record(z.string(), z.unknown()).describe('JSON Schema, draft 2020-12.');

const jobTypeVersion = z.object({
  version: z.int(),
  upgrades: z.boolean().describe('Whether the workers of this version run payloads of older versions too.'),
  payloadSchema: jsonSchema,
  resultSchema: jsonSchema,
  workers: z.array(z.string()).describe('Names of the workers that run it now.'),
  lastSeenAt: z.iso
    .datetime()
    .describe('When it was registered, or when a worker that runs it last sent a heartbeat, to the minute.'),
});

/** The answer of `GET /v1/job-types/{type}`: a job type with its versions. */
export const jobTypeInfo = jobTypeVersion.omit({ upgrades: true }).extend({
  type: z.string(),
  version: z
    .int()
    .describe(
      'The version of new payloads: the newest that a worker runs now, or the newest registered one where none runs.',
    ),
  description: z.string(),
  queue: z.string(),
  timeoutMs: z.int(),
  maxAttempts: z.int(),
  backoff: z.object({ baseMs: z.int(), factor: z.number(), maxMs: z.int() }),
  versions: z.array(jobTypeVersion).describe('All registered versions, newest first.'),
});
/** See {@link jobTypeInfo}. */
export type JobTypeInfo = z.infer<typeof jobTypeInfo>;
/** The answer of `GET /v1/job-types`. */
export const jobTypeList = z.object({ jobTypes: z.array(jobTypeInfo) });

const queueInfo = z.object({
  queue: z.string(),
  types: z.array(z.string()).describe('The registered job types with this queue in their policy, sorted.'),
  ready: z.int().describe('Number of queued jobs, which wait for a worker.'),
  running: z.int(),
  scheduled: z.int(),
  consumers: z
    .int()
    .nullable()
    .describe(
      'Number of workers that consume it; null if RabbitMQ is not reachable or QUEUES does not name the queue.',
    ),
  oldestWaitingMs: z
    .int()
    .nullable()
    .describe('Milliseconds since the longest waiting job was due; null when none waits.'),
  drainPerSecond: z
    .number()
    .nullable()
    .describe('Jobs that leave the queue in a second, measured recently; null when unknown.'),
});
/** See `queueList`. */
export type QueueInfo = z.infer<typeof queueInfo>;
/** The answer of `GET /v1/queues`. */
export const queueList = z.object({
  queues: z.array(queueInfo),
  priorities: z
    .boolean()
    .nullable()
    .describe(
      'Whether RabbitMQ delivers jobs of higher priority first, as it does from 4.0 on. Null before the first connection.',
    ),
});

export const workerInfo = z.object({
  instance: z.string(),
  version: z.string().describe('Of Offload, or of a worker in another language.'),
  queues: z.array(z.string()),
  slots: z.int().describe('Jobs of each queue that it runs at once.'),
  running: z.int().describe('Jobs that it runs now.'),
  types: z.record(z.string(), z.int()).describe('The version of each job type that it runs.'),
  draining: z.boolean().describe('Whether it drains: it claims no new jobs.'),
  startedAt: z.iso.datetime(),
  lastHeardAt: z.iso
    .datetime()
    .describe(
      'Time of its last heartbeat. A worker sends one every ten seconds, and is regarded as lost after 30 seconds.',
    ),
});
/** See `workerList`. */
export type WorkerInfo = z.infer<typeof workerInfo>;
/** The answer of `GET /v1/workers`. */
export const workerList = z.object({ workers: z.array(workerInfo) });

/** The body of every refusal: problem details (RFC 9457). */
export const problem = z.object({
  type: z.string().describe('`/problems/<slug>`; stable.'),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  instance: z.string().describe('Path of the request.'),
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
