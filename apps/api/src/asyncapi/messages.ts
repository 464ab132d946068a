import { control, jobEvents, registration, dispatch } from '@offload/job-messages';
import { jobEvent, type JobEvent } from '@offload/jobs/events';
import { webhookBody, webhookEvent } from '@offload/jobs/webhooks';
import type { Json } from '../contract/schemas.ts';
import {
  cancelExample,
  eventExample,
  registrationExample,
  dispatchExample,
  livenessCheckExample,
  traceparentExample,
  webhookExample,
  webhookHeadersExample,
} from './examples.ts';
import { amqpProperties, deathHeaders, tracedHeaders, versionHeaders, webhookHeaders } from './headers.ts';
import { schemaOf } from './schemas.ts';

/** Of AsyncAPI's bindings for AMQP 0-9-1, in the version that AsyncAPI 3.0.0 has a schema for. */
export const AMQP_BINDING = '0.3.0';
/** Of AsyncAPI's bindings for HTTP. */
export const HTTP_BINDING = '0.3.0';

const JSON_TYPE = 'application/json';
const aboutJob = (location: string): Json => ({ location, description: 'The id of the job.' });
const subject = 'subject' satisfies keyof JobEvent;
const ends = webhookEvent.options.map((status): JobEvent['type'] => `offload.job.${status}`);

/** The messages, by name. */
export const messages = {
  dispatch: {
    name: dispatch.type,
    title: 'Dispatch',
    summary: 'This job is due.',
    description: 'The database has the job itself. A duplicate dispatch message costs a refused claim.',
    contentType: JSON_TYPE,
    headers: tracedHeaders(dispatch.version),
    payload: schemaOf(dispatch.schema),
    bindings: { amqp: { messageType: dispatch.type, bindingVersion: AMQP_BINDING } },
    examples: [
      { headers: { 'x-schema-version': dispatch.version, traceparent: traceparentExample }, payload: dispatchExample },
    ],
    'x-amqp-properties': amqpProperties(dispatch.type, JSON_TYPE, {
      message_id: { type: 'string', format: 'uuid', description: 'The dispatch id: a new id for each publishing.' },
      priority: { type: 'integer', minimum: 0, maximum: 9, description: "The job's priority." },
    }),
  },
  event: {
    name: jobEvents.type,
    title: 'Events',
    summary: 'Snapshots of jobs after transitions of one kind: a CloudEvents 1.0 batch.',
    description:
      'Workers publish `job.progress` four times a second at most, without `payload`, `result` and `errors`. Of two events of a job, that with the higher `data.version` is newer. Events may be missing: a listener that needs the latest state reads the job.',
    contentType: jobEvents.contentType,
    headers: versionHeaders(jobEvents.version),
    payload: schemaOf(jobEvents.schema),
    correlationId: aboutJob(`$message.payload#/0/${subject}`),
    bindings: { amqp: { messageType: jobEvents.type, bindingVersion: AMQP_BINDING } },
    examples: [{ headers: { 'x-schema-version': jobEvents.version }, payload: [eventExample] }],
    'x-amqp-properties': amqpProperties(
      jobEvents.type,
      jobEvents.contentType,
      {},
      {
        correlation_id: { type: 'string', format: 'uuid', description: 'The id of the job, where there is only one.' },
      },
    ),
  },
  control: {
    name: control.type,
    title: 'Control',
    summary: 'A command of the api to all workers: cancel, liveness check.',
    contentType: JSON_TYPE,
    headers: versionHeaders(control.version),
    payload: schemaOf(control.schema),
    bindings: { amqp: { messageType: control.type, bindingVersion: AMQP_BINDING } },
    examples: [
      { name: 'cancel', headers: { 'x-schema-version': control.version }, payload: cancelExample },
      { name: 'livenessCheck', headers: { 'x-schema-version': control.version }, payload: livenessCheckExample },
    ],
    'x-amqp-properties': amqpProperties(control.type, JSON_TYPE),
  },
  registration: {
    name: registration.type,
    title: 'Registration',
    summary: 'Job types were registered or removed.',
    description:
      'The database has the types themselves. A lost message only costs time: apis read the types every five seconds.',
    contentType: JSON_TYPE,
    headers: versionHeaders(registration.version),
    payload: schemaOf(registration.schema),
    bindings: { amqp: { messageType: registration.type, bindingVersion: AMQP_BINDING } },
    examples: [{ headers: { 'x-schema-version': registration.version }, payload: registrationExample }],
    'x-amqp-properties': amqpProperties(registration.type, JSON_TYPE),
  },
  deadLetter: {
    name: 'dead letter',
    title: 'Dead letter',
    summary: 'A dispatch message that no consumer could read, or that came back too often.',
    description: 'The body, properties and headers are those of the message. One more header has the reason.',
    headers: deathHeaders,
    payload: {},
    bindings: { amqp: { bindingVersion: AMQP_BINDING } },
  },
  webhook: {
    name: 'webhook',
    title: 'Webhook',
    summary: 'The event of a finished job, with its links.',
    description:
      'Notifiers send it at least once; all attempts at one webhook delivery have the same `webhook-id`. Check the signature before you read the body.',
    contentType: jobEvent.contentType,
    headers: webhookHeaders,
    payload: { allOf: [schemaOf(webhookBody), { properties: { type: { enum: ends } } }] },
    correlationId: aboutJob(`$message.payload#/${subject}`),
    bindings: { http: { bindingVersion: HTTP_BINDING } },
    examples: [{ headers: webhookHeadersExample, payload: webhookExample }],
  },
} satisfies Record<string, Json>;

export type MessageName = keyof typeof messages;
