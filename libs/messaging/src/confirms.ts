import amqp, { type ConfirmChannel, type Message, type Options } from 'amqplib';
import { BrokerUnavailableError, PublishRefusedError } from './errors.ts';
import type { MessageStep } from './messaging-events.ts';

/** A message with its address, ready to be written to a channel. */
export interface Outgoing {
  exchange: string;
  routingKey: string;
  content: Buffer;
  properties: Options.Publish & { messageId: string };
}

/** Is called once with the outcome of a message, and with the error unless it is confirmed. */
export type Settled = (
  step: Extract<MessageStep, 'confirmed' | 'returned' | 'nacked' | 'unconfirmed'>,
  error?: Error,
) => void;

/**
 * Makes a function that publishes on a confirm channel and reports the outcome of each message.
 *
 * @returns a function that throws `BrokerUnavailableError` when the channel is closing, and amqplib's error when it
 *   can't encode the message
 */
export function confirming(channel: ConfirmChannel): (message: Outgoing, settled: Settled) => void {
  /** Reply texts of returned messages. The broker sends the return before the confirm of the same message. */
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
  // This listener must run before that of amqplib, which fails the unconfirmed messages: they need the reason.
  channel.prependListener('close', () => (lost ??= LOST));

  function takeReturn({ exchange, routingKey, properties }: Outgoing): string | undefined {
    if (returned.size === 0) return undefined; // the common case
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

/** What `basic.return` carries: amqplib's types describe only deliveries. */
type ReturnFields = { exchange: string; routingKey: string; replyText: string };

/** Half a surrogate pair comes back from the broker as U+FFFD, so the key has U+FFFD in its place. */
function keyOf(...message: [exchange: string, routingKey: string, messageId: unknown]): string {
  return JSON.stringify(message.map((each) => String(each).toWellFormed()));
}
