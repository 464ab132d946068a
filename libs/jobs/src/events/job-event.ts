import { z } from 'zod';
import { jobId } from '../members/identifiers.ts';
import { isFinished, job, jobStatus, type Job } from '../job/job.ts';

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

/** A job as events carry it: `job.progress` leaves out what may be large and has not changed. */
export const jobInEvent = job.extend({
  payload: z.unknown().optional().describe('Not in `job.progress`.'),
  result: z.unknown().optional().describe('Not in `job.progress`.'),
  errors: job.shape.errors.optional().describe('Not in `job.progress`.'),
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

/** What happened, without the prefix that tells Offload's events from others'. */
export function eventNameOf({ type }: Pick<JobEvent, 'type'>): EventName {
  return type.slice(TYPE_PREFIX.length) as EventName;
}
