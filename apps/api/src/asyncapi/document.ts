import type { Json } from '../contract/schemas.ts';
import { channels } from './channels.ts';
import { messages } from './messages.ts';
import { operations, processes } from './operations.ts';
import { componentSchemas } from './schemas.ts';

/**
 * The messages of Offload as AsyncAPI 3.0, generated from the schemas that validate and the topology that is declared.
 */
export function asyncApiDocument(): Json {
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Offload',
      version: '1',
      description:
        "The messages between Offload's processes over RabbitMQ, and the webhooks. To receive the events of jobs, bind a queue of your own to the exchange of events, or use a webhook. Later versions may add members to bodies.",
      license: { name: 'MIT', url: 'https://spdx.org/licenses/MIT.html' },
    },
    defaultContentType: 'application/json',
    servers: servers(),
    channels,
    operations: operations(),
    components: {
      messages,
      schemas: componentSchemas(),
      securitySchemes: {
        brokerUser: { type: 'userPassword', description: 'A user of RabbitMQ with the rights of its process only.' },
      },
      tags: Object.fromEntries(Object.entries(processes).map(([name, description]) => [name, { name, description }])),
    },
  };
}

function servers(): Json {
  const vhost = { description: 'The virtual host, percent-encoded.', default: '%2F' };
  const broker = (protocol: string, port: number): Json => ({
    host: '{host}',
    pathname: '/{vhost}',
    protocol,
    protocolVersion: '0-9-1',
    description: 'RabbitMQ, as AMQP_URL names it.',
    variables: { host: { description: 'Name and port.', default: `127.0.0.1:${port}` }, vhost },
    security: [{ $ref: '#/components/securitySchemes/brokerUser' }],
  });
  return {
    broker: broker('amqp', 5672),
    brokerOverTls: broker('amqps', 5671),
    receiver: {
      host: '{host}',
      protocol: 'https',
      description: 'The receiver of a webhook, over https or http as its URL says.',
      variables: { host: { description: 'Name and port, as in the URL.', default: 'example.com' } },
    },
  };
}
