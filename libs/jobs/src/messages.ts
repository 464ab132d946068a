import { z } from 'zod';
import { jobId } from './identifiers.ts';
import { isFinished, jobInEvent, jobStatus, type job, type Job } from './job.ts';

// The messages between the processes, as @offload/messaging sends and reads them: AMQP's `type`, the version of the
// schema, and the schema.

/** "This job is due": the small message in a queue. Its AMQP `message_id` is the ring id. */
export const ring = {
  type: 'ring',
  version: 1,
  schema: z.object({ jobId: z.uuid(), type: z.string().min(1) }),
};
export type Ring = z.infer<typeof ring.schema>;

/** A ring's id: new with each ring, so that a doubled one is never taken for the one that a worker holds. */
export const ringId = z.uuid();

/** What happened: the job's new status, or `progress` of a running one. */
export const eventName = z.templateLiteral(['job.', z.union([jobStatus, z.literal('progress')])]);
export type EventName = z.infer<typeof eventName>;

/** The events that end a job. */
export const endings: readonly EventName[] = jobStatus.options
  .filter(isFinished)
  .map((status) => `job.${status}` as const);

const EVENT_SOURCE = '/v1/jobs';
const TYPE_PREFIX = 'offload.';

/** The envelope of {@link jobEvent} around `data`, a job in whatever form. */
export const cloudEvent = <Data extends z.ZodType>(data: Data) =>
  z.object({
    specversion: z.literal('1.0'),
    id: z.string().min(1).describe('`<job id>/<version>`: the same however often the event is sent.'),
    source: z.literal(EVENT_SOURCE),
    type: z.templateLiteral([TYPE_PREFIX, eventName]),
    subject: jobId.describe('The id of the job.'),
    time: z.iso.datetime().describe('When the job was finished; before that, when this was sent.'),
    datacontenttype: z.literal('application/json'),
    data,
  });

/**
 * A snapshot of a job after a transition, newer than another of the same job when its `data.version` is higher: a
 * CloudEvent in structured JSON mode. https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
 */
// Its type has all members of a job: who reads an event of progress knows what that leaves out.
export const jobEvent = {
  contentType: 'application/cloudevents+json',
  schema: cloudEvent(jobInEvent as unknown as typeof job),
};
export type JobEvent<Data extends Job = Job> = Omit<z.infer<typeof jobEvent.schema>, 'data'> & { data: Data };

/**
 * Events of one name that share a message: a CloudEvents batch. Of one job they are in order.
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md#4-json-batch-format
 */
export const jobEvents = {
  type: 'job.events',
  version: 1,
  contentType: 'application/cloudevents-batch+json',
  schema: z.array(jobEvent.schema).min(1),
};

/** @returns what happened to a job that is now as given: `job.<status>`, unless it is named */
export function eventOf<Data extends Job>(data: Data, event: EventName = `job.${data.status}`): JobEvent<Data> {
  return {
    specversion: '1.0',
    id: `${data.id}/${data.version}`,
    source: EVENT_SOURCE,
    type: `${TYPE_PREFIX}${event}`,
    subject: data.id,
    time: data.finishedAt ?? new Date().toISOString(),
    datacontenttype: 'application/json',
    data,
  };
}

/** Members of a job that are at hand as JSON. */
export interface PrintedMembers {
  payload?: string;
  result?: string;
}

/** A job as JSON. What of it may be large is not printed again where that has been done. */
export function printJob(job: Job, printed: PrintedMembers = {}): string {
  const { payload, result, ...rest } = job;
  if (payload === undefined) return JSON.stringify(rest); // of a progress
  const printedPayload = printed.payload ?? JSON.stringify(payload);
  const printedResult = printed.result ?? JSON.stringify(result ?? null);
  return `${open(rest)},"payload":${printedPayload},"result":${printedResult}}`;
}

/** An event as JSON. @param job as {@link printJob} has printed it */
export function printEvent({ data, ...envelope }: JobEvent, job = printJob(data)): string {
  return `${open(envelope)},"data":${job}}`;
}

/** An object as JSON, without its last brace. */
function open(object: object): string {
  return JSON.stringify(object).slice(0, -1);
}

/** What happened, without the prefix that tells Offload's events from others'. */
export function eventNameOf({ type }: Pick<JobEvent, 'type'>): EventName {
  return type.slice(TYPE_PREFIX.length) as EventName;
}

/**
 * What a listener can tell an event by without reading it: AMQP's routing key and, where it is alone in its message, the
 * correlation id.
 */
export function addressOf(event: JobEvent): { routingKey: EventName; correlationId: string } {
  return { routingKey: eventNameOf(event), correlationId: event.subject };
}

/** What the api tells every worker; whoever it does not concern ignores it. */
export const control = {
  type: 'control',
  version: 1,
  schema: z.discriminatedUnion('command', [
    /** Whoever runs this job is to stop it. */
    z.object({ command: z.literal('cancel'), jobId }),
    /** Say in the database which jobs you hold. */
    z.object({ command: z.literal('roll-call') }),
  ]),
};
export type Control = z.infer<typeof control.schema>;
