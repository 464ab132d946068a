import amqp, { type ConfirmChannel, type Message, type Options } from 'amqplib';
import { BrokerUnavailableError, PublishRefusedError } from './errors.ts';
import type { MessageStep } from './messaging-events.ts';

/** A message as it goes over the wire. */
export interface Outgoing {
  exchange: string;
  routingKey: string;
  content: Buffer;
  properties: Options.Publish & { messageId: string };
}

/** What became of a message, with the error where it was not confirmed. */
export type Settled = (
  step: Extract<MessageStep, 'confirmed' | 'returned' | 'nacked' | 'unconfirmed'>,
  error?: Error,
) => void;

/**
 * Publishes on a confirm channel and tells what becomes of each message.
 *
 * @returns a function that throws when the message can't be sent: with a `BrokerUnavailableError` when the channel is
 * closing, else because of what is in it
 */
export function confirming(channel: ConfirmChannel): (message: Outgoing, settled: Settled) => void {
  /** Replies to messages that no queue was bound for, until their confirm, which the broker sends after them. */
  const returned = new Map<string, string[]>();
  let lost: string | null = null;
  let fault: Error | undefined;

  channel.on('return', ({ properties, fields }: Message) => {
    const { exchange, routingKey, replyText } = fields as unknown as ReturnFields;
    const key = keyOf(exchange, routingKey, properties.messageId);
    returned.set(key, [...(returned.get(key) ?? []), replyText]);
  });
  channel.on('error', (error: Error) => {
    fault = error; // such as a 403 or 404; 'close' follows
    lost = `${LOST}: ${error.message}`;
  });
  // Before amqplib's own listener, which fails what is unconfirmed: by then it must be seen that the channel is gone.
  channel.prependListener('close', () => (lost ??= LOST));

  function takeReturn({ exchange, routingKey, properties }: Outgoing): string | undefined {
    if (returned.size === 0) return undefined; // nearly always
    const key = keyOf(exchange, routingKey, properties.messageId);
    const [first, ...rest] = returned.get(key) ?? [];
    if (rest.length > 0) returned.set(key, rest);
    else returned.delete(key);
    return first;
  }

  return (message, settled) => {
    const { exchange, routingKey, content, properties } = message;
    try {
      channel.publish(exchange, routingKey, content, properties, (cause: Error | null) => {
        const reply = takeReturn(message);
        if (cause && lost !== null) settled('unconfirmed', new BrokerUnavailableError(lost, { cause: fault ?? cause }));
        else if (cause) settled('nacked', new PublishRefusedError('the broker refused the message (nack)', { cause }));
        else if (reply !== undefined) settled('returned', new PublishRefusedError(`returned: ${reply}`));
        else settled('confirmed');
      });
    } catch (cause) {
      if (!(cause instanceof amqp.IllegalOperationError)) throw cause;
      throw new BrokerUnavailableError('the channel is closing', { cause });
    }
  };
}

const LOST = 'the channel was lost before the confirm came';

/** What `basic.return` carries; amqplib's types know only of deliveries. */
type ReturnFields = { exchange: string; routingKey: string; replyText: string };

/** As it comes back over the wire, where half a surrogate pair is U+FFFD. */
function keyOf(...message: [exchange: string, routingKey: string, messageId: unknown]): string {
  return JSON.stringify(message.map((each) => String(each).toWellFormed()));
}
