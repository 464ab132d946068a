import { randomUUID } from 'node:crypto';
import type { ConsumeMessage } from 'amqplib';
import { confirming, type Outgoing, type Settled } from './confirms.ts';
import type { Connection } from './connection.ts';
import { BrokerUnavailableError, NotConfirmedError } from './errors.ts';
import { onAbort } from './abort.ts';
import { followState, tellStep } from './messaging-events.ts';
import { parseOptions } from './options.ts';
import {
  publisherOptions,
  type Destination,
  type ForwardOptions,
  type PublisherOptions,
  type PublishOptions,
} from './publish-options.ts';
import { writeMessage, type BodyFor, type MessageKind, type RawJson } from './message.ts';

/** Publishes persistent messages. One publisher per connection is enough; concurrent calls are fine. */
export interface Publisher {
  /**
   * Publishes one message. Resolves when the broker has confirmed it: every queue that it was routed to has it on disk.
   * https://www.rabbitmq.com/docs/confirms
   *
   * Rejects with:
   * - `PublishRefusedError` when the broker returned or nacked the message
   * - `BrokerUnavailableError` when too much is pending or the message can't be sent
   * - `BrokerUnavailableError` also when the channel was lost before the confirm: the broker may have the message
   * - `NotConfirmedError` when no confirm came in time: the broker may have the message
   * - `TypeError` when the body can't be written as JSON
   */
  publish<Kind extends MessageKind>(
    kind: Kind,
    body: BodyFor<Kind> | RawJson,
    to: Destination & PublishOptions,
  ): Promise<void>;
  /**
   * Publishes a copy of a delivered message: the same bytes and properties, without expiration and user id. Headers and
   * message id change as the options say. Settles as `publish` does.
   */
  forward(message: ConsumeMessage, to: Destination & ForwardOptions): Promise<void>;
}

/** A message from the call of `publish` until it is settled and out of memory. */
interface Pending extends Outgoing {
  /** Settles the call. Only the first settling counts. */
  settle(error?: unknown): void;
}

/**
 * Makes a publisher with its own confirm channel on the connection.
 *
 * @throws TypeError when an option is wrong
 * @example
 * ```ts
 * const publisher = createPublisher(connection, { timeoutMs: 5_000 });
 * await publisher.publish(order, { id: crypto.randomUUID() }, { queue: 'orders' });
 * ```
 */
export function createPublisher(connection: Connection, options: PublisherOptions = {}): Publisher {
  const { timeoutMs, maxPending, maxPendingBytes, maxUnconfirmed, whileAway } = parseOptions(publisherOptions, options);
  const mostSent = maxUnconfirmed ?? maxPending;
  const { events } = connection;
  /** Messages that are not sent yet, in the order of the calls. */
  const waiting = new Set<Pending>();
  /** Messages in memory. Timed-out messages that were sent count, too: the socket or amqplib still holds them. */
  let pending = 0;
  let pendingBytes = 0;
  /** Messages that were sent and are not confirmed. */
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
    .catch(() => undefined); // closed: each call of publish rejects
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

  /** The function that sends now; null if nothing may be sent. */
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

  /** Why a message of this size is rejected at once; null if it is accepted. */
  function refusal(bytes: number): Error | null {
    if (connection.state === 'closed') return ended;
    if (pending >= maxPending) return new BrokerUnavailableError(`${pending} messages are not yet confirmed`);
    if (pending > 0 && pendingBytes + bytes > maxPendingBytes) {
      return new BrokerUnavailableError(
        `${pendingBytes} bytes are not yet confirmed, ${bytes} more are above the limit`,
      );
    }
    if (whileAway === 'wait' || !isAway()) return null;
    return new BrokerUnavailableError(because(send ? 'the broker accepts no messages' : 'not connected to the broker'));
  }

  /** The error of a message that was not sent in time. */
  function whyWaiting(): Error {
    const late = `not sent within ${timeoutMs} ms`;
    if (isAway()) return new BrokerUnavailableError(because(late));
    return new NotConfirmedError(`${late}: ${sent} messages before it are not confirmed`);
  }

  /**
   * The error of a message that was sent and not confirmed in time. A blocked or lost broker does not even read
   * messages.
   */
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
      // After a long pause of the process, confirms may wait in the socket: `setImmediate` lets them be read first.
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
  // `deliveryMode` is left out because `persistent` sets it, `userId` because RabbitMQ accepts only the own user.
  const { type, appId, contentType, contentEncoding, timestamp, priority, correlationId, replyTo } = properties;
  const messageId = to.messageId ?? properties.messageId ?? randomUUID();
  const headers = { ...without([...routes, ...(to.withoutHeaders ?? [])], properties.headers), ...to.headers };
  const kept = { type, appId, contentType, contentEncoding, timestamp, priority, correlationId, replyTo };
  return { content, properties: { ...kept, messageId, headers, persistent: true, mandatory: true } };
}

/** Headers by which RabbitMQ would route the copy elsewhere, or which RabbitMQ counts itself. */
const routes = ['CC', 'BCC', 'x-delivery-count', 'x-acquired-count'];

function without(names: readonly string[], headers: Record<string, unknown> = {}): Record<string, unknown> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
}
