import { z } from 'zod';
import { jobId } from '../members/identifiers.ts';
import { isFinished, job, jobStatus, type Job } from '../job/job.ts';

/** Schema of an event's name: `job.` with the new status, or with `progress` of a running job. */
export const eventName = z.templateLiteral(['job.', z.union([jobStatus, z.literal('progress')])]);
/** See {@link eventName}. */
export type EventName = z.infer<typeof eventName>;

/** The names of events that finish a job. */
export const endings: readonly EventName[] = jobStatus.options
  .filter(isFinished)
  .map((status) => `job.${status}` as const);

const EVENT_SOURCE = '/v1/jobs';
const TYPE_PREFIX = 'offload.';

/** Makes the schema of a CloudEvent around `data`, which is a job in some form. */
export const cloudEvent = <Data extends z.ZodType>(data: Data) =>
  z.object({
    specversion: z.literal('1.0'),
    id: z.string().min(1).describe('`<job id>/<version>`: the same each time the event is sent.'),
    source: z.literal(EVENT_SOURCE),
    type: z.templateLiteral([TYPE_PREFIX, eventName]),
    subject: jobId.describe('The id of the job.'),
    time: z.iso.datetime().describe('When the job was finished; for an unfinished job, when the event was sent.'),
    datacontenttype: z.literal('application/json'),
    data,
  });

/** Schema of a job in an event. `job.progress` omits the members that may be large and have not changed. */
export const jobInEvent = job.extend({
  payload: z.unknown().optional().describe('Not in `job.progress`.'),
  result: z.unknown().optional().describe('Not in `job.progress`.'),
  errors: job.shape.errors.optional().describe('Not in `job.progress`.'),
});

/**
 * Schema of an event: a snapshot of a job after a transition, as a CloudEvent in structured JSON mode. Of two events of
 * one job, the newer one has the higher `data.version`.
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
 */
// Its type has all members of a job: a reader of progress events must expect some of them to be missing.
export const jobEvent = {
  contentType: 'application/cloudevents+json',
  schema: cloudEvent(jobInEvent as unknown as typeof job),
};
/** An event of a job: see {@link jobEvent}. */
export type JobEvent<Data extends Job = Job> = Omit<z.infer<typeof jobEvent.schema>, 'data'> & { data: Data };

/**
 * Makes the event of a job in its current state.
 *
 * @param event the event's name. @default `job.<status>`
 */
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

/** The name of an event, without the prefix that marks Offload's events. */
export function eventNameOf({ type }: Pick<JobEvent, 'type'>): EventName {
  return type.slice(TYPE_PREFIX.length) as EventName;
}
