import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import type { Connection } from './connection.ts';

export interface SubscriberOptions<Schema extends z.ZodType> {
  /** A fanout exchange. */
  exchange: string;
  /** Begins the name of the listener's own queue, for people who look at the broker. */
  name: string;
  schema: Schema;
  onMessage(message: z.output<Schema>): void;
  /** Listening (again): whatever was sent before this moment and after the last loss was missed. */
  onListening(): void;
  /** Told of messages that do not fit the schema; they are dropped. */
  onFault(error: Error): void;
}

/**
 * Listens to a fanout exchange through a queue of its own, exclusive and deleted with the connection: every listener
 * hears everything while it listens, and nothing of before. The queue has a new name each time, so that one the broker
 * has not given up yet can't stand in the way.
 */
export function subscribe<Schema extends z.ZodType>(connection: Connection, options: SubscriberOptions<Schema>): void {
  const { exchange, name, schema, onMessage, onListening, onFault } = options;
  void connection.keepChannel(async (channel) => {
    const queue = `${name}.${randomUUID().slice(0, 8)}`;
    await channel.assertQueue(queue, { exclusive: true, autoDelete: true, durable: false });
    await channel.bindQueue(queue, exchange, '');
    await channel.consume(
      queue,
      (message) => {
        if (!message) return void channel.close().catch(() => undefined); // cancelled by the broker: subscribe again
        try {
          onMessage(schema.parse(JSON.parse(message.content.toString('utf8'))));
        } catch (error) {
          onFault(error as Error);
        }
      },
      { noAck: true },
    );
    onListening();
  });
}
