import { setTimeout as delay } from 'node:timers/promises';
import amqp, { type ConfirmChannel, type ConsumeMessage } from 'amqplib';
import type { z } from 'zod';
import type { Connection } from './connection.ts';
import type { Publication, Publisher } from './publisher.ts';
import { topology } from './topology.ts';

/** What becomes of a delivery. */
export type Verdict =
  /** done: the broker forgets it */
  | 'ack'
  /** not now: back to the queue at once, for anybody */
  | 'requeue'
  /** not yet: back to the queue after a second; the broker counts it as a failed delivery, on every version */
  | 'later';

export interface DeliveredMessage<Body> {
  body: Body;
  /** A UUID, new with every publication. */
  messageId: string;
  /** Handed out before: its former holder's channel is gone, or gave it back. */
  redelivered: boolean;
  /** How often it was handed out before, as a quorum queue counts (`x-delivery-count`); 0 where the queue does not. */
  deliveryCount: number;
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
  /** Decides by its result. When it throws, that is `later`. */
  handle(message: DeliveredMessage<z.output<Schema>>): Promise<Verdict>;
  /** Told of what `handle` throws, other than its signal's reason, and of dead letters. */
  onFault(error: Error, context: { messageId: string | undefined }): void;
}

export interface Consumer {
  /** Stops new deliveries; those under way may still finish. Does nothing more when called again. */
  cancel(): Promise<void>;
  /** Whether the queue is being consumed now. */
  readonly active: boolean;
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Pause before a message goes back that is for later, or whose handler threw: nobody spins meanwhile. */
const LATER_MS = 1_000;

/** Pause between two tries to send a dead letter, while the publisher's broker is away. */
const DEAD_LETTER_PAUSE_MS = 1_000;

/** Consumes a queue with manual acknowledgement; subscribes again whenever channel, connection or broker come back. */
export function consume<Schema extends z.ZodType>(connection: Connection, options: ConsumerOptions<Schema>): Consumer {
  const { queue, prefetch, schema, deadLetters, handle, onFault } = options;
  let subscription: { channel: ConfirmChannel; tag: string } | null = null;
  let cancelled = false;

  async function receive(message: ConsumeMessage, signal: AbortSignal): Promise<Verdict> {
    const messageId: string | undefined = message.properties.messageId;
    try {
      const body = parseBody(schema, message.content);
      if (messageId === undefined || !uuid.test(messageId) || 'reason' in body) {
        const reason = 'reason' in body ? body.reason : 'message_id is not a UUID';
        await deadLetter(message, reason, signal);
        onFault(new Error(`dead-lettered: ${reason}`), { messageId });
        return 'ack';
      }
      const { redelivered } = message.fields;
      const deliveryCount = Number(message.properties.headers?.['x-delivery-count'] ?? 0);
      const verdict = await handle({ body: body.value, messageId, redelivered, deliveryCount, signal });
      if (verdict !== 'later') return verdict;
    } catch (error) {
      if (error !== signal.reason) onFault(error as Error, { messageId }); // that a delivery is lost is no fault here
    }
    await delay(LATER_MS, undefined, { signal, ref: false }).catch(() => undefined); // lost meanwhile
    return 'later';
  }

  /** A copy with the reason, since a plain reject could not carry one. Tried until it is sent or the message is lost. */
  async function deadLetter({ content, properties, fields }: ConsumeMessage, reason: string, signal: AbortSignal) {
    const { messageId, type, contentType } = properties;
    const publication: Publication = {
      exchange: topology.dead,
      body: content,
      contentType: contentType ?? 'application/octet-stream',
      type: type ?? 'unknown',
      ...(messageId && { messageId }),
      headers: { 'x-offload-reason': reason.slice(0, 500), 'x-offload-queue': fields.routingKey },
    };
    for (;;) {
      try {
        return await deadLetters.publish(publication);
      } catch (error) {
        onFault(error as Error, { messageId });
      }
      // Giving it back instead would have it here again at once, until the broker has counted enough of it.
      await delay(DEAD_LETTER_PAUSE_MS, undefined, { signal, ref: false });
    }
  }

  void connection.keepChannel(async (channel) => {
    if (cancelled) return;
    const lost = new AbortController();
    channel.on('close', () => {
      if (subscription?.channel === channel) subscription = null;
      lost.abort(new Error('the broker connection is gone: the job goes to another worker'));
    });
    await channel.prefetch(prefetch);
    const { consumerTag } = await channel.consume(queue, (message) => {
      if (message) void receive(message, lost.signal).then((verdict) => settle(channel, message, verdict));
      // null: the broker cancelled the consumer (queue deleted, ack timeout since 4.3). Closing makes us subscribe again.
      else void channel.close().catch(() => undefined); // closed by then: the same outcome
    });
    if (lost.signal.aborted) return; // and the connection sees to it
    if (cancelled) await channel.cancel(consumerTag);
    else subscription = { channel, tag: consumerTag };
  });

  return {
    get active() {
      return subscription !== null && !cancelled;
    },
    async cancel() {
      if (cancelled) return;
      cancelled = true;
      await subscription?.channel.cancel(subscription.tag).catch(() => undefined); // the channel is gone: cancelled too
    },
  };
}

/** On a channel that is closing or gone nothing can be said: the broker has the message back already, or soon. */
function settle(channel: ConfirmChannel, message: ConsumeMessage, verdict: Verdict): void {
  try {
    if (verdict === 'ack') channel.ack(message);
    else if (verdict === 'requeue') channel.nack(message, false, true);
    // reject, not nack: only it counts towards the delivery limit on every version (RabbitMQ 4.3 release notes)
    else channel.reject(message, true);
  } catch (error) {
    if (!(error instanceof amqp.IllegalOperationError)) throw error;
  }
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
