import { randomUUID } from 'node:crypto';
import amqp, { type ConfirmChannel, type Message } from 'amqplib';
import type { Connection } from './connection.ts';
import { BrokerUnavailableError, PublishRefusedError } from './errors.ts';

export interface PublisherOptions {
  /** A message not confirmed by then is rejected with `BrokerUnavailableError`, in milliseconds. @default 10_000 */
  confirmTimeoutMs?: number;
  /** More messages than this waiting for their confirm are rejected at once: memory stays bounded. @default 10_000 */
  maxUnconfirmed?: number;
}

export interface Publication {
  exchange: string;
  /** @default '' */
  routingKey?: string;
  /** Sent as JSON; a Buffer as it is. */
  body: unknown;
  /** @default 'application/json' */
  contentType?: string;
  /** What kind of message it is: AMQP's `type`. */
  type: string;
  /** @default a random UUID */
  messageId?: string;
  /** @default 0 */
  priority?: number;
  headers?: Record<string, string>;
  /** Whether a message that no queue is bound for is refused. @default true */
  mandatory?: boolean;
}

const defaults = { confirmTimeoutMs: 10_000, maxUnconfirmed: 10_000 };

/** Publishes persistent messages; safe to call from anywhere at once. */
export interface Publisher {
  /**
   * Resolves when the broker has confirmed the message: every queue it went to has it on disk.
   * https://www.rabbitmq.com/docs/confirms
   *
   * Rejects with `PublishRefusedError` when it was returned or nacked, and with `BrokerUnavailableError` at once while
   * there is no connection or the broker blocks it, when too many wait, when the confirm does not come in time or the
   * channel is lost before it: in the last two cases the broker may or may not have the message.
   */
  publish(publication: Publication): Promise<void>;
}

export function createPublisher(connection: Connection, options: PublisherOptions = {}): Publisher {
  const { confirmTimeoutMs, maxUnconfirmed } = { ...defaults, ...options };
  /** Those whose confirm was awaited too long included: they still take memory, here or in the socket. */
  let unconfirmed = 0;
  /** Why messages were returned, until the confirm of the same message comes: the broker sends it after the return. */
  const returned = new Map<string, string[]>();
  let channel: ConfirmChannel | null = null;

  void connection.keepChannel(async (opened) => {
    opened.on('return', ({ properties, fields }: Message) => {
      const { exchange, routingKey, replyText } = fields as unknown as ReturnFields;
      const key = keyOf(properties.messageId, exchange, routingKey);
      returned.set(key, [...(returned.get(key) ?? []), replyText]);
    });
    // Before amqplib's own listener, which fails what is unconfirmed: by then it must be seen that the channel is gone.
    opened.prependListener('close', () => {
      if (channel === opened) channel = null;
      returned.clear();
    });
    channel = opened;
  });

  function takeReturn(key: string): string | undefined {
    const replies = returned.get(key);
    const reply = replies?.shift();
    if (replies?.length === 0) returned.delete(key);
    return reply;
  }

  return {
    publish(publication) {
      const { exchange, routingKey = '', body, contentType = 'application/json', type } = publication;
      const { messageId = randomUUID(), priority, headers, mandatory = true } = publication;
      const open = channel;
      if (!open) return Promise.reject(new BrokerUnavailableError('not connected to the broker'));
      if (connection.state === 'blocked')
        return Promise.reject(new BrokerUnavailableError('the broker takes nothing in'));
      if (unconfirmed >= maxUnconfirmed) {
        return Promise.reject(new BrokerUnavailableError(`${maxUnconfirmed} messages are waiting for their confirm`));
      }
      return new Promise((resolve, reject) => {
        const content = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
        const timer = setTimeout(
          () => reject(new BrokerUnavailableError(`not confirmed within ${confirmTimeoutMs} ms`)),
          confirmTimeoutMs,
        );
        const confirmed = (error: Error | null): void => {
          clearTimeout(timer);
          unconfirmed -= 1;
          const reply = takeReturn(keyOf(messageId, exchange, routingKey));
          if (error) reject(confirmError(error, channel === open));
          else if (reply === undefined) resolve();
          else reject(new PublishRefusedError(`returned by ${exchange || 'the default exchange'}: ${reply}`));
        };
        const properties = {
          messageId,
          type,
          mandatory,
          persistent: true,
          contentType,
          timestamp: Math.floor(Date.now() / 1_000), // AMQP counts seconds
          ...(priority !== undefined && { priority }),
          ...(headers && { headers }),
        };
        try {
          open.publish(exchange, routingKey, content, properties, confirmed);
          unconfirmed += 1;
        } catch (error) {
          clearTimeout(timer);
          reject(
            error instanceof amqp.IllegalOperationError
              ? new BrokerUnavailableError('the channel is closing', { cause: error })
              : error, // what was to be sent can't be: another try would not help
          );
        }
      });
    },
  };
}

/** What `basic.return` carries; amqplib's types know only of deliveries. */
type ReturnFields = { exchange: string; routingKey: string; replyText: string };

function keyOf(messageId: unknown, exchange: string, routingKey: string): string {
  return JSON.stringify([messageId, exchange, routingKey]);
}

/** On a channel that still stands the callback's error is a nack; otherwise the channel went before the confirm came. */
function confirmError(cause: Error, channelStands: boolean): Error {
  return channelStands
    ? new PublishRefusedError('the broker refused the message (nack)', { cause })
    : new BrokerUnavailableError('the channel was lost before the confirm came', { cause });
}
