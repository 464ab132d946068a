import { randomUUID } from 'node:crypto';
import type { ConfirmChannel } from 'amqplib';
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
  /** Sent as JSON. */
  body: unknown;
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
   * there is no connection, when too many wait, when the confirm does not come in time or the channel is lost before
   * it: then the broker may or may not have the message.
   */
  publish(publication: Publication): Promise<void>;
}

interface Unconfirmed {
  returned: string | null;
  settle(error: Error | null): void;
}

export function createPublisher(connection: Connection, options: PublisherOptions = {}): Publisher {
  const { confirmTimeoutMs, maxUnconfirmed } = { ...defaults, ...options };
  const unconfirmed = new Map<string, Unconfirmed>();
  let channel: ConfirmChannel | null = null;

  void connection.keepChannel(
    async (opened) => {
      // The broker sends the return before the confirm of the same message.
      opened.on('return', ({ properties, fields }) => {
        const entry = unconfirmed.get(String(properties.messageId));
        if (entry) entry.returned = (fields as { replyText?: string }).replyText ?? 'no route';
      });
      channel = opened;
    },
    () => (channel = null), // amqplib fails what is unconfirmed through its callbacks
  );

  return {
    publish({ exchange, routingKey = '', body, type, messageId = randomUUID(), priority, headers, mandatory = true }) {
      const open = channel;
      if (!open) return Promise.reject(new BrokerUnavailableError('not connected to the broker'));
      if (unconfirmed.size >= maxUnconfirmed) {
        return Promise.reject(new BrokerUnavailableError(`${maxUnconfirmed} messages are waiting for their confirm`));
      }
      return new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => entry.settle(new BrokerUnavailableError(`not confirmed within ${confirmTimeoutMs} ms`)),
          confirmTimeoutMs,
        );
        const entry: Unconfirmed = {
          returned: null,
          settle(error) {
            clearTimeout(timer);
            unconfirmed.delete(messageId);
            if (error) reject(error);
            else resolve();
          },
        };
        unconfirmed.set(messageId, entry);
        try {
          open.publish(
            exchange,
            routingKey,
            Buffer.from(JSON.stringify(body)),
            {
              messageId,
              type,
              mandatory,
              persistent: true,
              contentType: 'application/json',
              timestamp: Math.floor(Date.now() / 1_000), // AMQP counts seconds
              ...(priority !== undefined && { priority }),
              ...(headers && { headers }),
            },
            (error) => {
              if (entry.returned !== null) {
                entry.settle(
                  new PublishRefusedError(`returned by ${exchange || 'the default exchange'}: ${entry.returned}`),
                );
              } else if (error) {
                entry.settle(confirmError(error, channel === open));
              } else {
                entry.settle(null);
              }
            },
          );
        } catch (error) {
          entry.settle(new BrokerUnavailableError('the channel is closing', { cause: error }));
        }
      });
    },
  };
}

/** On a channel that still stands the callback's error is a nack; otherwise the channel went before the confirm came. */
function confirmError(cause: Error, channelStands: boolean): Error {
  return channelStands
    ? new PublishRefusedError('the broker refused the message (nack)', { cause })
    : new BrokerUnavailableError('the channel was lost before the confirm came', { cause });
}
