import type { Json } from '../contract/schemas.ts';

/** An object with these members; it may have others. */
const objectOf = (properties: Json, required: string[] = Object.keys(properties)): Json => ({
  type: 'object',
  properties,
  required,
});

const traceparent = {
  type: 'string',
  pattern: '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$',
  description: 'W3C trace context of the request that submitted the job, if the request had one.',
};

/** https://www.rabbitmq.com/docs/quorum-queues#poison-message-handling */
const counts = {
  'x-delivery-count': {
    type: 'integer',
    minimum: 0,
    description: 'How often RabbitMQ has redelivered the message; only on received messages.',
  },
  'x-acquired-count': {
    type: 'integer',
    minimum: 0,
    description: 'How often RabbitMQ has delivered the message, from RabbitMQ 4.3 on.',
  },
};

/** The headers of a message of this schema version, as libs/messaging writes them. */
export const versionHeaders = (version: number): Json =>
  objectOf({
    'x-schema-version': {
      type: 'integer',
      const: version,
      description: "The version of the body's schema; 1 if the header is missing.",
    },
  });

/** The same, with the trace context, and with what a quorum queue adds. */
export const tracedHeaders = (version: number): Json => {
  const { properties, required } = versionHeaders(version);
  return { type: 'object', properties: { ...(properties as Json), traceparent, ...counts }, required };
};

/** The headers with the reason of a dead letter: a worker's, or RabbitMQ's own. */
export const deathHeaders = objectOf(
  {
    'x-offload-reason': { type: 'string', maxLength: 500, description: 'Why no worker could read it.' },
    'x-offload-queue': { type: 'string', description: 'The queue that the message was in.' },
    'x-death': {
      type: 'array',
      items: { type: 'object' },
      description: 'Why RabbitMQ dead-lettered the message: https://www.rabbitmq.com/docs/dlx#effects',
    },
  },
  [],
);

/** https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
export const webhookHeaders = objectOf({
  'webhook-id': {
    type: 'string',
    minLength: 1,
    description: 'The same for every attempt: a receiver recognises repetitions by it.',
  },
  'webhook-timestamp': {
    type: 'string',
    pattern: '^\\d+$',
    description:
      'When the notifier made this attempt, in seconds since 1970. Refuse an attempt that is older than 5 minutes.',
  },
  'webhook-signature': {
    type: 'string',
    pattern: '^v1,[A-Za-z0-9+/]+={0,2}( v1,[A-Za-z0-9+/]+={0,2})*$',
    description:
      '`v1,` and the HMAC-SHA256 of `<webhook-id>.<webhook-timestamp>.<body>` in Base64. While secrets change there are several, separated by spaces.',
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
    message_id: { type: 'string', format: 'uuid', description: 'A new id for each publishing.' },
    timestamp: { type: 'integer', description: 'When the process published the message, in seconds since 1970.' },
    delivery_mode: { const: 2, description: 'Persistent.' },
    ...more,
  };
  return objectOf({ ...always, ...optional }, Object.keys(always));
};
