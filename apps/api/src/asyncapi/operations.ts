import type { Json } from '../contract/schemas.ts';
import type { ChannelName } from './channels.ts';
import { AMQP_BINDING, HTTP_BINDING, type MessageName } from './messages.ts';

/** The processes that send and receive; each has its own user at the broker. */
export const processes = {
  api: 'Accepts jobs, and publishes their dispatch messages.',
  worker: 'Runs jobs.',
  notifier: 'Sends events to browsers, and webhooks to receivers.',
  doctor: 'Lists, redrives and deletes dead letters for an operator.',
};
type Process = keyof typeof processes;

interface Flow {
  action: 'send' | 'receive';
  channel: ChannelName;
  message: MessageName;
  by: Process[];
  summary: string;
  description?: string;
  binding: Json;
}

/** All messages of libs/messaging are persistent and confirmed. */
const sent = (mandatory: boolean): Json => amqp({ deliveryMode: 2, mandatory, timestamp: true });
const amqp = (binding: Json): Json => ({ amqp: { ...binding, bindingVersion: AMQP_BINDING } });

/** The operations of Offload's processes: each sends or receives one kind of message. */
const flows: Record<string, Flow> = {
  sendDispatch: {
    ...{ action: 'send', channel: 'dispatches', message: 'dispatch', by: ['api', 'doctor'] },
    summary: 'Dispatches a job that is due.',
    description: 'The message is pending in the outbox until the broker has confirmed it.',
    binding: sent(true),
  },
  receiveDispatch: {
    ...{ action: 'receive', channel: 'dispatchQueue', message: 'dispatch', by: ['worker'] },
    summary: 'Claims the job and runs it.',
    description: "The worker acknowledges the message when it has stored and published the job's outcome.",
    binding: amqp({ ack: true }),
  },
  sendEvent: {
    ...{ action: 'send', channel: 'events', message: 'event', by: ['api', 'worker'] },
    summary: 'Publishes the state of a job.',
    description: 'An event without a listener is no fault.',
    binding: sent(false),
  },
  receiveEvent: {
    ...{ action: 'receive', channel: 'eventListener', message: 'event', by: ['notifier'] },
    summary: 'Sends the event to watchers, and looks for pending webhooks.',
    binding: amqp({ ack: false }),
  },
  receiveEnd: {
    ...{ action: 'receive', channel: 'endListener', message: 'event', by: ['api'] },
    summary: 'Answers requests that wait for the job.',
    binding: amqp({ ack: false }),
  },
  sendControl: {
    ...{ action: 'send', channel: 'control', message: 'control', by: ['api'] },
    summary: 'Cancels a running job, or begins a liveness check.',
    binding: sent(false),
  },
  receiveControl: {
    ...{ action: 'receive', channel: 'controlListener', message: 'control', by: ['worker'] },
    summary: 'Stops the job, or writes to the database which jobs this worker holds.',
    binding: amqp({ ack: false }),
  },
  sendRegistration: {
    ...{ action: 'send', channel: 'registrations', message: 'registration', by: ['worker', 'api'] },
    summary: 'Publishes that job types were registered or removed.',
    binding: sent(false),
  },
  receiveRegistration: {
    ...{ action: 'receive', channel: 'registrationListener', message: 'registration', by: ['api'] },
    summary: 'Reads the job types again.',
    binding: amqp({ ack: false }),
  },
  sendDeadLetter: {
    ...{ action: 'send', channel: 'deadLetters', message: 'deadLetter', by: ['worker'] },
    summary: 'Publishes a message that it cannot read as a dead letter, with the reason.',
    description: 'RabbitMQ itself dead-letters a dispatch message that came back too often.',
    binding: amqp({ deliveryMode: 2, mandatory: true }),
  },
  receiveDeadLetter: {
    ...{ action: 'receive', channel: 'deadLetterQueue', message: 'deadLetter', by: ['doctor'] },
    summary: 'Lists dead letters, and sends them again as new dispatch messages.',
    binding: amqp({ ack: true }),
  },
  sendWebhook: {
    ...{ action: 'send', channel: 'webhook', message: 'webhook', by: ['notifier'] },
    summary: 'Sends the event of a finished job to a receiver.',
    description:
      'The notifier signs it by Standard Webhooks. It is delivered with any 2xx, and given up with 410. After any other answer the notifier tries again, at growing intervals. The notifier follows no redirects.',
    binding: { http: { method: 'POST', bindingVersion: HTTP_BINDING } },
  },
};

/** The operations of the document, by name. */
export function operations(): Json {
  const described = Object.entries(flows).map(([name, { action, channel, message, by, binding, ...about }]) => [
    name,
    {
      action,
      channel: { $ref: `#/channels/${channel}` },
      ...about,
      tags: by.map((process) => ({ $ref: `#/components/tags/${process}` })),
      bindings: binding,
      messages: [{ $ref: `#/channels/${channel}/messages/${message}` }],
    },
  ]);
  return Object.fromEntries(described) as Json;
}
