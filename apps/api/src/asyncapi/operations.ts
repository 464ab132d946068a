import type { Json } from '../contract/schemas.ts';
import type { ChannelName } from './channels.ts';
import { AMQP_BINDING, HTTP_BINDING, type MessageName } from './messages.ts';

/** The processes that send and receive; each has its own user at the broker. */
export const processes = {
  api: 'Takes jobs in, and has a pending dispatch message.',
  worker: 'Runs jobs.',
  notifier: 'Tells browsers and webhooks.',
  doctor: 'Looks after dead letters, when an operator asks it to.',
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

/** Persistent and confirmed, as everything that libs/messaging sends. */
const sent = (mandatory: boolean): Json => amqp({ deliveryMode: 2, mandatory, timestamp: true });
const amqp = (binding: Json): Json => ({ amqp: { ...binding, bindingVersion: AMQP_BINDING } });

/** Who sends what to whom, as Offload sees it. */
const flows: Record<string, Flow> = {
  sendDispatch: {
    ...{ action: 'send', channel: 'dispatches', message: 'dispatch', by: ['api', 'doctor'] },
    summary: 'Says that a job is due.',
    description: 'Pending in the database until the broker has confirmed it.',
    binding: sent(true),
  },
  receiveDispatch: {
    ...{ action: 'receive', channel: 'dispatchQueue', message: 'dispatch', by: ['worker'] },
    summary: 'Claims the job and runs it.',
    description: "Acknowledged once the job's outcome is stored and announced.",
    binding: amqp({ ack: true }),
  },
  sendEvent: {
    ...{ action: 'send', channel: 'events', message: 'event', by: ['api', 'worker'] },
    summary: 'Says what a job is now.',
    description: 'It is no fault when nobody listens.',
    binding: sent(false),
  },
  receiveEvent: {
    ...{ action: 'receive', channel: 'eventListener', message: 'event', by: ['notifier'] },
    summary: 'Tells watchers, and looks for webhooks that are pending.',
    binding: amqp({ ack: false }),
  },
  receiveEnd: {
    ...{ action: 'receive', channel: 'endListener', message: 'event', by: ['api'] },
    summary: 'Answers requests that wait for the job.',
    binding: amqp({ ack: false }),
  },
  sendControl: {
    ...{ action: 'send', channel: 'control', message: 'control', by: ['api'] },
    summary: 'Has a running job cancelled, or calls the roll.',
    binding: sent(false),
  },
  receiveControl: {
    ...{ action: 'receive', channel: 'controlListener', message: 'control', by: ['worker'] },
    summary: 'Stops the job, or says in the database which jobs are held.',
    binding: amqp({ ack: false }),
  },
  sendRegistration: {
    ...{ action: 'send', channel: 'registrations', message: 'registration', by: ['worker', 'api'] },
    summary: 'Says that job types were registered or removed.',
    binding: sent(false),
  },
  receiveRegistration: {
    ...{ action: 'receive', channel: 'registrationListener', message: 'registration', by: ['api'] },
    summary: 'Reads the job types again.',
    binding: amqp({ ack: false }),
  },
  sendDeadLetter: {
    ...{ action: 'send', channel: 'deadLetters', message: 'deadLetter', by: ['worker'] },
    summary: 'Puts aside what can not be read, with the reason.',
    description: 'RabbitMQ does so itself with a dispatch message that came back too often.',
    binding: amqp({ deliveryMode: 2, mandatory: true }),
  },
  receiveDeadLetter: {
    ...{ action: 'receive', channel: 'deadLetterQueue', message: 'deadLetter', by: ['doctor'] },
    summary: 'Lists dead letters, and sends them again as new dispatch messages.',
    binding: amqp({ ack: true }),
  },
  sendWebhook: {
    ...{ action: 'send', channel: 'webhook', message: 'webhook', by: ['notifier'] },
    summary: "Tells a job's end to whoever asked for it.",
    description:
      'Signed as Standard Webhooks has it. Any 2xx is delivered and 410 ends it; anything else is tried again, at growing intervals, and redirects are not followed.',
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
