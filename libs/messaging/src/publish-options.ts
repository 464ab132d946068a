import { z } from 'zod';
import { milliseconds } from './options.ts';

/** Bounds and waiting times of a publisher. All are optional. */
export interface PublisherOptions {
  /** How long a message may stay unconfirmed before its call rejects, in milliseconds. @default 10_000 */
  timeoutMs?: number;
  /**
   * Most messages that are not confirmed yet. A further message is rejected at once, so memory stays bounded.
   * @default 10_000
   */
  maxPending?: number;
  /**
   * Most bytes of message bodies that are not confirmed yet. A single larger message still goes out. @default 64 MiB
   */
  maxPendingBytes?: number;
  /**
   * Most messages that are sent and not confirmed yet, including those whose calls have timed out; further messages
   * wait. RabbitMQ may stop reading a connection with more than 230 unconfirmed messages on a channel while their
   * quorum queue does not answer.
   * @default as many as may be pending
   */
  maxUnconfirmed?: number;
  /**
   * What happens to a message while there is no connection, or the broker blocks it: it waits up to `timeoutMs`, or its
   * call rejects at once. @default 'wait'
   */
  whileAway?: 'wait' | 'fail';
}

/** Checks the {@link PublisherOptions} and fills in their defaults. */
export const publisherOptions = z.object({
  timeoutMs: milliseconds.min(1).default(10_000),
  maxPending: z.int().min(1).default(10_000),
  maxPendingBytes: z
    .int()
    .min(1)
    .default(64 * 1024 * 1024),
  maxUnconfirmed: z.int().min(1).optional(),
  whileAway: z.enum(['wait', 'fail']).default('wait'),
});

/** Where a message goes: to an exchange, or straight to a queue by its name. */
export type Destination = { exchange: string; routingKey?: string } | { queue: string };

/** Properties of one message. All are optional. */
export interface PublishOptions {
  /** AMQP's `message_id`. @default a random UUID */
  messageId?: string;
  /**
   * AMQP's `correlation_id`, at most 255 bytes: what the message is about. A subscriber can skip messages by it without
   * reading them. A longer one is a `TypeError`.
   * @default none
   */
  correlationId?: string;
  /** AMQP's `priority`. @default 0 */
  priority?: number;
  /** More AMQP headers. @default none */
  headers?: Record<string, unknown>;
  /** W3C Trace Context, sent as the header `traceparent`. https://www.w3.org/TR/trace-context-amqp/ @default none */
  traceparent?: string;
  /** Whether the broker refuses a message that no queue is bound for. @default true */
  mandatory?: boolean;
  /**
   * Gives the message up when it fires: the call rejects with the signal's reason. A message that was sent before may
   * still arrive. @default none
   */
  signal?: AbortSignal;
}

/** What changes in a forwarded message. */
export interface ForwardOptions extends Pick<PublishOptions, 'headers' | 'signal'> {
  /** AMQP's `message_id` of the copy. @default that of the message */
  messageId?: string;
  /** Names of headers that the copy leaves out. @default none */
  withoutHeaders?: readonly string[];
}
