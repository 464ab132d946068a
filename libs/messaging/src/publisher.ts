import { randomUUID } from 'node:crypto';
import type { ConsumeMessage } from 'amqplib';
import { z } from 'zod';
import { confirming, type Outgoing, type Settled } from './confirms.ts';
import type { Connection } from './connection.ts';
import { BrokerUnavailableError, NotConfirmedError } from './errors.ts';
import { onAbort } from './abort.ts';
import { followState, tellStep } from './messaging-events.ts';
import { milliseconds, parseOptions } from './options.ts';
import { writeMessage, type BodyFor, type MessageKind, type RawJson } from './message.ts';

export interface PublisherOptions {
  /** A message that is not confirmed by then is rejected, in milliseconds. @default 10_000 */
  timeoutMs?: number;
  /** More messages than this that are not yet confirmed are rejected at once: memory stays bounded. @default 10_000 */
  maxPending?: number;
  /** The same for the bytes of their bodies; one alone may be larger. @default 64 MiB */
  maxPendingBytes?: number;
  /**
   * So many messages at most are with the broker and not yet confirmed, those that were given up included; the ones that follow
   * wait here. RabbitMQ may stop reading a connection that has more than 230 unconfirmed on a channel, while their quorum queue
   * does not answer.
   * @default as many as may be pending
   */
  maxUnconfirmed?: number;
  /** What to do with a message while there is no connection or the broker blocks it. @default 'wait', `timeoutMs` long */
  whileAway?: 'wait' | 'fail';
}

const publisherOptions = z.object({
  timeoutMs: milliseconds.min(1).default(10_000),
  maxPending: z.int().min(1).default(10_000),
  maxPendingBytes: z
    .int()
    .min(1)
    .default(64 * 1024 * 1024),
  maxUnconfirmed: z.int().min(1).optional(),
  whileAway: z.enum(['wait', 'fail']).default('wait'),
});

/** Where a message goes: to an exchange, or past all of them to a queue by its name. */
export type Destination = { exchange: string; routingKey?: string } | { queue: string };

export interface PublishOptions {
  /** @default a random UUID */
  messageId?: string;
  /**
   * What the message is about, at most 255 bytes: AMQP's `correlation_id`, by which a subscriber can tell what it need
   * not read. A longer one is a `TypeError`.
   * @default none
   */
  correlationId?: string;
  /** @default 0 */
  priority?: number;
  headers?: Record<string, unknown>;
  /** W3C Trace Context, as the header of that name. https://www.w3.org/TR/trace-context-amqp/ @default none */
  traceparent?: string;
  /** Whether a message that no queue is bound for is refused. @default true */
  mandatory?: boolean;
  /** Gives the message up: rejects with the signal's reason. One that was sent by then may or may not arrive. */
  signal?: AbortSignal;
}

export interface ForwardOptions extends Pick<PublishOptions, 'headers' | 'signal'> {
  /** @default the message's own */
  messageId?: string;
  /** Names of its headers to leave out. @default none */
  withoutHeaders?: readonly string[];
}

/** Publishes persistent messages; one a connection will do, which can be called from anywhere at once. */
export interface Publisher {
  /**
   * Resolves when the broker has confirmed the message: every queue it went to has it on disk.
   * https://www.rabbitmq.com/docs/confirms
   *
   * Rejects with `PublishRefusedError` when it was returned or nacked, and with `BrokerUnavailableError` when too much is
   * pending, when it can't be sent, when its confirm does not come in time or its channel is lost before that: in the
   * last two cases the broker may or may not have it. A body that can't be written is a `TypeError`.
   */
  publish<Kind extends MessageKind>(
    kind: Kind,
    body: BodyFor<Kind> | RawJson,
    to: Destination & PublishOptions,
  ): Promise<void>;
  /**
   * Sends a delivered message on, byte by byte and with its properties but for expiration and user id, with more headers
   * or fewer, and with another message id if one is given. Settles as `publish`.
   */
  forward(message: ConsumeMessage, to: Destination & ForwardOptions): Promise<void>;
}

/** A message on its way, from the call until nobody holds it any more. */
interface Pending extends Outgoing {
  /** Ends the call; the first time counts. */
  settle(error?: unknown): void;
}

export function createPublisher(connection: Connection, options: PublisherOptions = {}): Publisher {
  const { timeoutMs, maxPending, maxPendingBytes, maxUnconfirmed, whileAway } = parseOptions(publisherOptions, options);
  const mostSent = maxUnconfirmed ?? maxPending;
  const { events } = connection;
  /** In the order of the calls. */
  const waiting = new Set<Pending>();
  /** Those that were sent and given up included: they still take memory, here or in the socket. */
  let pending = 0;
  let pendingBytes = 0;
  /** Those of them that the broker has not confirmed. */
  let sent = 0;
  let send: ((message: Outgoing, settled: Settled) => void) | null = null;
  let ended = new BrokerUnavailableError('the connection is closed');

  void connection
    .keepChannel(async (channel) => {
      const sendOnThis = confirming(channel);
      channel.prependListener('close', () => {
        if (send === sendOnThis) send = null;
      });
      send = sendOnThis;
      sendWaiting();
    })
    .catch(() => undefined); // closed: whoever publishes is told
  followState(events, (state, reason) => {
    if (state === 'open') sendWaiting();
    if (state !== 'closed') return;
    if (reason !== undefined) ended = new BrokerUnavailableError(`the connection is closed: ${reason}`);
    for (const each of waiting) giveUp(each, ended);
  });

  function because(what: string): string {
    return connection.reason === undefined ? what : `${what}: ${connection.reason}`;
  }

  function isAway(): boolean {
    return send === null || connection.state === 'blocked' || connection.state === 'closed';
  }

  /** How to send now, if that is possible. */
  function sender(): typeof send {
    return sent >= mostSent || isAway() ? null : send;
  }

  function sendWaiting(): void {
    for (const each of waiting) {
      const sendNow = sender();
      if (!sendNow) return;
      waiting.delete(each);
      hand(each, sendNow);
    }
  }

  function hand(message: Pending, sendNow: NonNullable<typeof send>): void {
    const { exchange, settle } = message;
    sent += 1;
    try {
      sendNow(message, (step, error) => {
        sent -= 1;
        free(message);
        settle(error);
        tellStep(events, step, exchange);
        if (waiting.size > 0) sendWaiting();
      });
      tellStep(events, 'published', exchange);
    } catch (error) {
      sent -= 1;
      free(message);
      settle(error);
    }
  }

  function free({ content }: Pending): void {
    pending -= 1;
    pendingBytes -= content.length;
  }

  function giveUp(message: Pending, error: unknown): void {
    if (waiting.delete(message)) free(message);
    message.settle(error);
  }

  /** Why a message of this size is not even taken. */
  function refusal(bytes: number): Error | null {
    if (connection.state === 'closed') return ended;
    if (pending >= maxPending) return new BrokerUnavailableError(`${pending} messages are not yet confirmed`);
    if (pending > 0 && pendingBytes + bytes > maxPendingBytes) {
      return new BrokerUnavailableError(`${pendingBytes} bytes are not yet confirmed, ${bytes} more are too many`);
    }
    if (whileAway === 'wait' || !isAway()) return null;
    return new BrokerUnavailableError(because(send ? 'the broker takes nothing in' : 'not connected to the broker'));
  }

  /** Why a message was not sent in time. */
  function whyWaiting(): Error {
    const late = `not sent within ${timeoutMs} ms`;
    if (isAway()) return new BrokerUnavailableError(because(late));
    return new NotConfirmedError(`${late}: ${sent} messages before it are not confirmed`);
  }

  /** Why a message that was sent was not confirmed in time: a broker that takes nothing in does not read it. */
  function whyUnconfirmed(): Error {
    const late = `not confirmed within ${timeoutMs} ms`;
    return isAway() ? new BrokerUnavailableError(because(late)) : new NotConfirmedError(late);
  }

  function deliver(write: () => Letter, to: Destination & { signal?: AbortSignal }): Promise<void> {
    const { exchange = '', routingKey = '' } = 'queue' in to ? { exchange: '', routingKey: to.queue } : to;
    const { signal } = to;
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const { content, properties } = write();
      const refused = refusal(content.length);
      if (refused) throw refused;
      const abort = (): void => giveUp(message, signal?.reason);
      const late = (): void => {
        giveUp(message, waiting.has(message) ? whyWaiting() : whyUnconfirmed());
      };
      // A process that stood still for longer first reads the confirms that came meanwhile.
      const timer = setTimeout(() => setImmediate(late), timeoutMs);
      const message: Pending = {
        exchange,
        routingKey,
        content,
        properties,
        settle(error) {
          clearTimeout(timer);
          stopListening?.();
          if (error === undefined) resolve();
          else reject(error);
        },
      };
      const stopListening = signal && onAbort(signal, abort);
      pending += 1;
      pendingBytes += content.length;
      const sendNow = sender();
      if (sendNow) hand(message, sendNow);
      else waiting.add(message);
    });
  }

  return {
    publish: (kind, body, to) => deliver(() => letterOf(kind, body, to), to),
    forward: (message, to) => deliver(() => copyOf(message, to), to),
  };
}

/** A message without its address. */
type Letter = Pick<Outgoing, 'content' | 'properties'>;

/** @throws TypeError when the body can't be written as JSON */
function letterOf<Kind extends MessageKind>(
  kind: Kind,
  body: BodyFor<Kind> | RawJson,
  { messageId = randomUUID(), correlationId, priority, mandatory = true, traceparent, headers: more }: PublishOptions,
): Letter {
  const { content, contentType, type, headers } = writeMessage(kind, body);
  const properties: Letter['properties'] = {
    contentType,
    messageId,
    mandatory,
    persistent: true,
    timestamp: Math.floor(Date.now() / 1_000), // AMQP counts seconds
    headers:
      more || traceparent !== undefined
        ? { ...more, ...headers, ...(traceparent !== undefined && { traceparent }) }
        : headers,
  };
  if (type !== undefined) properties.type = type;
  if (correlationId !== undefined) properties.correlationId = correlationId;
  if (priority !== undefined) properties.priority = priority;
  return { content, properties };
}

function copyOf({ content, properties }: ConsumeMessage, to: ForwardOptions): Letter {
  // Not its deliveryMode, which `persistent` is, nor its expiration, nor its userId, which would have to be ours.
  const { type, appId, contentType, contentEncoding, timestamp, priority, correlationId, replyTo } = properties;
  const messageId = to.messageId ?? properties.messageId ?? randomUUID();
  const headers = { ...without([...routes, ...(to.withoutHeaders ?? [])], properties.headers), ...to.headers };
  const kept = { type, appId, contentType, contentEncoding, timestamp, priority, correlationId, replyTo };
  return { content, properties: { ...kept, messageId, headers, persistent: true, mandatory: true } };
}

/** Headers by which RabbitMQ would route a copy elsewhere, or that it counts by itself. */
const routes = ['CC', 'BCC', 'x-delivery-count', 'x-acquired-count'];

function without(names: readonly string[], headers: Record<string, unknown> = {}): Record<string, unknown> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
}
