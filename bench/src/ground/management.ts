import { z } from 'zod';

/** What the bench asks of RabbitMQ itself. */
export interface Management {
  version(): Promise<string>;
  /** Deletes a queue, if there is one. */
  deleteQueue(name: string): Promise<void>;
  /** Messages in a queue that wait or are unacknowledged, as the broker knows them at this moment. */
  messages(name: string): Promise<number>;
}

const counted = z.array(z.object({ name: z.string(), messages: z.int() }));

interface Node {
  amqpUrl: string;
  managementUrl: string;
  control(args: readonly string[]): Promise<string>;
}

export function createManagement({ amqpUrl, managementUrl, control }: Node): Management {
  const { username, password } = new URL(amqpUrl);
  const headers = { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
  return {
    async version() {
      const response = await fetch(`${managementUrl}/api/overview`, { headers });
      return z.object({ rabbitmq_version: z.string() }).parse(await response.json()).rabbitmq_version;
    },
    async deleteQueue(name) {
      const response = await fetch(`${managementUrl}/api/queues/%2F/${name}`, { method: 'DELETE', headers });
      if (!response.ok && response.status !== 404) throw new Error(`RabbitMQ does not delete ${name}`);
    },
    // Not from the management API: its figures are some seconds old.
    async messages(name) {
      const printed = await control(['list_queues', '--quiet', '--formatter', 'json', 'name', 'messages']);
      return counted.parse(JSON.parse(printed)).find((queue) => queue.name === name)?.messages ?? 0;
    },
  };
}
