import type { ConfirmChannel, ConsumeMessage } from 'amqplib';
import type { z } from 'zod';
import type { Connection } from './connection.ts';
import type { Publisher } from './publisher.ts';
import { topology } from './topology.ts';

/** What becomes of a delivery. */
export type Verdict =
  /** done: the broker forgets it */
  | 'ack'
  /** not now: back to the queue, for anybody */
  | 'requeue';

export interface DeliveredMessage<Body> {
  body: Body;
  /** A UUID, new with every publication. */
  messageId: string;
  /** Handed out before: its former holder's channel is gone, or gave it back. */
  redelivered: boolean;
  /** Fires when the channel is lost: the broker gives the message to somebody else. */
  signal: AbortSignal;
}

export interface ConsumerOptions<Schema extends z.ZodType> {
  queue: string;
  /** Most unacknowledged deliveries at once. */
  prefetch: number;
  /** Parses the body; one that does not fit goes to the dead letters with the reason in `x-offload-reason`. */
  schema: Schema;
  /** Sends the dead letters; on another connection, so that a blocked publisher can't stop acknowledgements. */
  deadLetters: Publisher;
  /** Decides by its result. When it throws, the message is rejected back to the queue, which counts as a failure. */
  handle(message: DeliveredMessage<z.output<Schema>>): Promise<Verdict>;
  /** Told of what `handle` throws and of dead letters. */
  onFault(error: Error, context: { messageId: string | undefined }): void;
}

export interface Consumer {
  /** Stops new deliveries; those under way may still finish. Does nothing more when called again. */
  cancel(): Promise<void>;
  /** Whether the queue is being consumed now. */
  readonly active: boolean;
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Consumes a queue with manual acknowledgement; subscribes again whenever channel, connection or broker come back. */
export function consume<Schema extends z.ZodType>(connection: Connection, options: ConsumerOptions<Schema>): Consumer {
  const { queue, prefetch, schema, deadLetters, handle, onFault } = options;
  let subscription: { channel: ConfirmChannel; tag: string; lost: AbortController } | null = null;
  let cancelled = false;

  async function receive(channel: ConfirmChannel, lost: AbortSignal, message: ConsumeMessage): Promise<void> {
    const messageId: string | undefined = message.properties.messageId;
    const body = parseBody(schema, message.content);
    try {
      if (messageId === undefined || !uuid.test(messageId) || 'reason' in body) {
        const reason = 'reason' in body ? body.reason : 'message_id is not a UUID';
        await deadLetter(deadLetters, message, reason);
        onFault(new Error(`dead-lettered: ${reason}`), { messageId });
        if (!lost.aborted) channel.ack(message);
        return;
      }
      const { redelivered } = message.fields;
      const verdict = await handle({ body: body.value, messageId, redelivered, signal: lost });
      if (lost.aborted) return; // the broker has it back already
      if (verdict === 'ack') channel.ack(message);
      else channel.nack(message, false, true);
    } catch (error) {
      onFault(error as Error, { messageId });
      // reject, not nack: only it counts towards the delivery limit on every version (RabbitMQ 4.3 release notes)
      if (!lost.aborted) channel.reject(message, true);
    }
  }

  void connection.keepChannel(
    async (channel) => {
      if (cancelled) return;
      const lost = new AbortController();
      await channel.prefetch(prefetch);
      const { consumerTag } = await channel.consume(queue, (message) => {
        if (message) void receive(channel, lost.signal, message);
        // null: the broker cancelled the consumer (queue deleted, ack timeout since 4.3). Closing makes us subscribe again.
        else void channel.close().catch(() => undefined); // closed by then: the same outcome
      });
      subscription = { channel, tag: consumerTag, lost };
    },
    () => {
      subscription?.lost.abort(new Error('the broker connection is gone: the job goes to another worker'));
      subscription = null;
    },
  );

  return {
    get active() {
      return subscription !== null && !cancelled;
    },
    async cancel() {
      if (cancelled) return;
      cancelled = true;
      await subscription?.channel.cancel(subscription.tag);
    },
  };
}

function parseBody<Schema extends z.ZodType>(
  schema: Schema,
  content: Buffer,
): { value: z.output<Schema> } | { reason: string } {
  let json: unknown;
  try {
    json = JSON.parse(content.toString('utf8'));
  } catch (error) {
    return { reason: `not JSON: ${(error as Error).message}` };
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return { value: parsed.data };
  const [issue] = parsed.error.issues;
  return { reason: `/${issue?.path.join('/') ?? ''}: ${issue?.message ?? 'does not fit'}` };
}

/** A copy with the reason, since a plain reject could not carry one. */
function deadLetter(publisher: Publisher, message: ConsumeMessage, reason: string): Promise<void> {
  const { messageId, type } = message.properties;
  return publisher.publish({
    exchange: topology.dead,
    body: message.content.toString('utf8'),
    type: type ?? 'unknown',
    ...(messageId && { messageId }),
    headers: { 'x-offload-reason': reason.slice(0, 500), 'x-offload-queue': message.fields.routingKey },
  });
}
