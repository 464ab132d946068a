import { setTimeout as delay } from 'node:timers/promises';
import amqp, { type ConfirmChannel, type ConsumeMessage } from 'amqplib';
import { z } from 'zod';
import { gatherAcks, type Acks } from './acks.ts';
import type { Connection } from './connection.ts';
import { deliveryOf, receive, type Delivery } from './delivery.ts';
import { readMessage, type BodyOf, type MessageKind } from './message.ts';
import { BrokerUnavailableError, PublishRefusedError } from './errors.ts';
import { tellFault, tellStep } from './messaging-events.ts';
import { parseOptions } from './options.ts';
import type { Publisher } from './publisher.ts';
import { UnderWay } from './under-way.ts';

/**
 * What the consumer does with a delivery:
 * - `ack`, or nothing: the message is done and RabbitMQ deletes it
 * - `requeue`: the message returns to the queue at once, for any consumer (`basic.nack`; since RabbitMQ 4.3 it does not
 *   count towards the delivery limit)
 * - `later`, or an error that the handler throws: the message returns to the queue after a second (`basic.reject`,
 *   which every version counts towards the delivery limit)
 * - `{ reject }`: the message becomes a dead letter, with this reason
 */
export type Verdict = 'ack' | 'requeue' | 'later' | { reject: string };

// eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- a handler may well return nothing
type Answer = Verdict | void;

/** What {@link consume} reads, and how it handles each message. */
export interface ConsumerOptions<Kind extends MessageKind> {
  /** Name of the queue. If the connection's topology declares it, it is declared again when it was deleted. */
  queue: string;
  /** The kind of message that the queue carries. A message of another kind is rejected with the reason. */
  message: Kind;
  /** Most unacknowledged deliveries at once, which is also the most concurrent handlers. @default 10 */
  prefetch?: number;
  /**
   * Handles one delivery and decides what becomes of it, see {@link Verdict}. An error that it throws is reported as a
   * fault, and the message returns to the queue after a second.
   */
  handle(delivery: Delivery<BodyOf<Kind>>): Promise<Answer> | Answer;
  /**
   * Where rejected messages go. The header `x-offload-reason` carries the reason, `x-offload-queue` the routing key of
   * the message. Use a publisher of another connection: when the broker blocks a connection that publishes, it also
   * stops its acknowledgements.
   * @default the queue's own dead-letter exchange, which carries no reason; without such an exchange the message is
   *   deleted
   */
  deadLetters?: { publisher: Pick<Publisher, 'forward'>; exchange: string };
}

/** A consumer that {@link consume} has started. */
export interface Consumer {
  /** Whether the consumer is subscribed to the queue now. */
  readonly active: boolean;
  /** Stops new deliveries; running handlers may finish. A second call changes nothing. */
  cancel(): Promise<void>;
  /** Cancels, and waits until the running handlers have finished and the broker has their verdicts. */
  drain(): Promise<void>;
}

const consumerOptions = z.object({ prefetch: z.int().min(1).max(65_535).default(10) });

/** Pause before a failed message returns to the queue, so that its retries use no whole CPU. */
const LATER_MS = 1_000;

/** Pause between two attempts to publish a dead letter. */
const DEAD_LETTER_PAUSE_MS = 1_000;

/**
 * Consumes a queue with manual acknowledgement. It subscribes again by itself when the channel, connection, queue or
 * broker is back.
 *
 * @throws TypeError when an option is wrong
 * @example
 * ```ts
 * const consumer = consume(connection, {
 *   queue: 'orders',
 *   message: { type: 'order', version: 1, schema: z.object({ id: z.uuid() }) },
 *   handle: async ({ body, signal }) => pack(body.id, signal),
 * });
 * process.on('SIGTERM', () => void consumer.drain().then(() => connection.close()));
 * ```
 */
export function consume<Kind extends MessageKind>(connection: Connection, options: ConsumerOptions<Kind>): Consumer {
  const { queue, message: kind, handle, deadLetters } = options;
  const { prefetch } = parseOptions(consumerOptions, options);
  const { events } = connection;
  const underWay = new UnderWay();
  let subscription: { channel: ConfirmChannel; acks: Acks; tag: string } | null = null;
  let subscribing: Promise<void> = Promise.resolve();
  let cancelling: Promise<void> | undefined;
  let released: Promise<void> | undefined;
  /** Its signal closes the channel. */
  const over = new AbortController();

  async function take(
    channel: ConfirmChannel,
    acks: Acks,
    message: ConsumeMessage,
    signal: AbortSignal,
  ): Promise<void> {
    acks.arrived(message);
    tellStep(events, 'consumed', queue);
    // Messages that arrive after `cancel` are left to other consumers.
    const verdict = cancelling ? 'requeue' : await judge(message, signal);
    settle(channel, acks, message, verdict, (step) => tellStep(events, step, queue));
  }

  async function judge(message: ConsumeMessage, signal: AbortSignal): Promise<Sentence> {
    const fault = (error: unknown): void => {
      tellFault(events, error as Error, { where: queue, messageId: message.properties.messageId });
    };
    try {
      const read = readMessage(kind, message);
      const verdict =
        'reason' in read ? { reject: read.reason } : ((await handle(deliveryOf(message, read.body, signal))) ?? 'ack');
      if (typeof verdict === 'object' && verdict !== null) return await reject(message, verdict.reject, signal, fault);
      if (verdict === 'ack' || verdict === 'requeue') return verdict;
      if (verdict !== 'later') throw new TypeError(`${String(verdict)} is no verdict`);
    } catch (error) {
      if (!isAbort(error, signal)) fault(error); // a lost delivery is no fault of the handler
    }
    await delay(LATER_MS, undefined, { signal, ref: false }).catch(() => undefined); // the channel is lost: the signal ends the pause
    return 'later';
  }

  /**
   * Publishes a copy with the reason, because `basic.reject` carries none. It retries until the copy is confirmed or
   * the delivery is lost.
   */
  async function reject(
    message: ConsumeMessage,
    reason: string,
    signal: AbortSignal,
    fault: (error: unknown) => void,
  ): Promise<Sentence> {
    fault(new Error(`rejected: ${reason}`));
    if (!deadLetters) return 'reject';
    const headers = { 'x-offload-reason': reason.slice(0, 500), 'x-offload-queue': message.fields.routingKey };
    for (let tries = 1; ; tries += 1) {
      try {
        await deadLetters.publisher.forward(message, { exchange: deadLetters.exchange, headers, signal });
        return 'forwarded';
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (tries === 1) fault(error);
        const hopeless = !(error instanceof BrokerUnavailableError || error instanceof PublishRefusedError);
        if (hopeless) return 'reject'; // one more header does not fit: use the queue's own dead-letter exchange
      }
      // A requeue instead would redeliver the message at once, until it reaches the delivery limit.
      await delay(DEAD_LETTER_PAUSE_MS, undefined, { signal, ref: false });
    }
  }

  async function subscribeOn(channel: ConfirmChannel): Promise<void> {
    if (cancelling) return;
    channel.on('close', () => {
      if (subscription?.channel === channel) subscription = null;
    });
    await channel.prefetch(prefetch);
    const acks = gatherAcks(channel);
    const { tag, isLost } = await receive(channel, queue, async (message, signal) => {
      underWay.begin();
      await take(channel, acks, message, signal);
      underWay.end();
    });
    if (!isLost()) subscription = { channel, acks, tag }; // a lost channel is opened again by the connection
  }

  connection.keepChannel((channel) => (subscribing = subscribeOn(channel)), over.signal).catch(() => undefined); // the connection closed before it was open: `opened` rejects

  async function stop(): Promise<void> {
    await subscribing.catch(() => undefined); // a subscription that has begun is completed first
    await subscription?.channel.cancel(subscription.tag).catch(() => undefined); // a lost channel has no subscription either
    released = underWay.none().then(release);
  }

  /** Closes the channel after the last verdict is sent. */
  async function release(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      if (subscription) subscription.channel.once('close', resolve);
      else resolve();
    });
    subscription?.acks.flush();
    over.abort();
    await closed;
  }

  const cancel = (): Promise<void> => (cancelling ??= Promise.resolve().then(stop));
  return {
    get active() {
      return subscription !== null && !cancelling;
    },
    cancel,
    async drain() {
      await cancel();
      await released;
    },
  };
}

/** Whether the error is the signal's own reason, or an error of Node.js that wraps it. */
function isAbort(error: unknown, { aborted, reason }: AbortSignal): boolean {
  return aborted && (error === reason || (error as Error | undefined)?.cause === reason);
}

/** A verdict that has been carried out, except for the answer to the broker. */
type Sentence = Exclude<Verdict, object> | 'reject' | 'forwarded';

/**
 * Answers the broker. A channel that is closing or gone can't answer: then the broker requeues the message by itself.
 */
function settle(
  channel: ConfirmChannel,
  acks: Acks,
  message: ConsumeMessage,
  sentence: Sentence,
  told: (step: 'acked' | 'rejected' | 'requeued' | 'lost') => void,
): void {
  if (sentence === 'ack' || sentence === 'forwarded') {
    return acks.ack(message, (sent) => told(!sent ? 'lost' : sentence === 'ack' ? 'acked' : 'rejected'));
  }
  acks.settled(message);
  try {
    if (sentence === 'requeue') channel.nack(message, false, true);
    else channel.reject(message, sentence === 'later');
    told(sentence === 'reject' ? 'rejected' : 'requeued');
  } catch (error) {
    if (!(error instanceof amqp.IllegalOperationError)) throw error;
    told('lost');
  }
}
