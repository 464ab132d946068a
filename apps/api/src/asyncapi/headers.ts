import type { Json } from '../contract/schemas.ts';

/** An object with these members; more may come with it. */
const objectOf = (properties: Json, required: string[] = Object.keys(properties)): Json => ({
  type: 'object',
  properties,
  required,
});

const traceparent = {
  type: 'string',
  pattern: '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$',
  description: 'W3C trace context of the request that made the job, where it had one.',
};

/** https://www.rabbitmq.com/docs/quorum-queues#poison-message-handling */
const counts = {
  'x-delivery-count': { type: 'integer', minimum: 0, description: 'How often it came back: of a received one.' },
  'x-acquired-count': {
    type: 'integer',
    minimum: 0,
    description: 'How often it was handed out, from RabbitMQ 4.3 on.',
  },
};

/** The headers of a message of this schema version, as libs/messaging writes them. */
export const versionHeaders = (version: number): Json =>
  objectOf({
    'x-schema-version': {
      type: 'integer',
      const: version,
      description: 'Of the body; 1 is meant where it is missing.',
    },
  });

/** The same, with the trace context, and with what a quorum queue adds. */
export const tracedHeaders = (version: number): Json => {
  const { properties, required } = versionHeaders(version);
  return { type: 'object', properties: { ...(properties as Json), traceparent, ...counts }, required };
};

/** Why a message is a dead letter: ours, which say what a worker found, or RabbitMQ's own. */
export const deathHeaders = objectOf(
  {
    'x-offload-reason': { type: 'string', maxLength: 500, description: 'Why no worker could read it.' },
    'x-offload-queue': { type: 'string', description: 'The queue of jobs that it was in.' },
    'x-death': {
      type: 'array',
      items: { type: 'object' },
      description: 'How it came here, where RabbitMQ sent it: https://www.rabbitmq.com/docs/dlx#effects',
    },
  },
  [],
);

/** https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
export const webhookHeaders = objectOf({
  'webhook-id': {
    type: 'string',
    minLength: 1,
    description: 'The same at every attempt: whoever has it already need not look again.',
  },
  'webhook-timestamp': {
    type: 'string',
    pattern: '^\\d+$',
    description: 'When this attempt was made, in seconds since 1970. Refuse one that is minutes old.',
  },
  'webhook-signature': {
    type: 'string',
    pattern: '^v1,[A-Za-z0-9+/]+={0,2}( v1,[A-Za-z0-9+/]+={0,2})*$',
    description:
      'HMAC-SHA256 of `<webhook-id>.<webhook-timestamp>.<body>`, in Base64 behind `v1,`; several, with spaces between them, while secrets are changed.',
  },
});

/**
 * AMQP's own properties of a message, by RabbitMQ's names, for which AsyncAPI's binding has no place.
 * https://www.rabbitmq.com/docs/publishers#message-properties
 */
export const amqpProperties = (type: string, contentType: string, more: Json = {}, optional: Json = {}): Json => {
  const always = {
    type: { const: type },
    content_type: { const: contentType },
    message_id: { type: 'string', format: 'uuid', description: 'New with each sending.' },
    timestamp: { type: 'integer', description: 'When it was sent, in seconds since 1970.' },
    delivery_mode: { const: 2, description: 'Persistent.' },
    ...more,
  };
  return objectOf({ ...always, ...optional }, Object.keys(always));
};
