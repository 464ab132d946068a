import { connect } from '@offload/messaging';
import { inspectQueues } from '@offload/messaging/queues';
import { z } from 'zod';

/** Requests of the bench to RabbitMQ. */
export interface Management {
  version(): Promise<string>;
  /** Deletes a queue if it exists. */
  deleteQueue(name: string): Promise<void>;
  /** Number of messages in a queue. After the end of its consumers, it includes those that are not acknowledged. */
  messages(name: string): Promise<number>;
  close(): Promise<void>;
}

interface Node {
  amqpUrl: string;
  managementUrl: string;
}

/** @throws Error when the node refuses the credentials */
export async function openManagement({ amqpUrl, managementUrl }: Node): Promise<Management> {
  const { username, password } = new URL(amqpUrl);
  const headers = { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
  const connection = connect({ url: amqpUrl, name: 'bench', topology: {} });
  // Asked over AMQP, because the figures of the management API are some seconds old.
  const inspector = inspectQueues(connection);
  await connection.opened;
  return {
    async version() {
      const response = await fetch(`${managementUrl}/api/overview`, { headers });
      return z.object({ rabbitmq_version: z.string() }).parse(await response.json()).rabbitmq_version;
    },
    async deleteQueue(name) {
      const response = await fetch(`${managementUrl}/api/queues/%2F/${name}`, { method: 'DELETE', headers });
      if (!response.ok && response.status !== 404) throw new Error(`RabbitMQ could not delete ${name}`);
    },
    messages: async (name) => (await inspector.inspect(name))?.ready ?? 0,
    close: () => connection.close(),
  };
}
