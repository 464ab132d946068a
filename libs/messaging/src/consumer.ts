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
 * What becomes of a delivery:
 * - `ack`, or nothing: done, the broker forgets it
 * - `requeue`: not now; back to the queue at once, for anybody (`basic.nack`, which is no failure since RabbitMQ 4.3)
 * - `later`, or when the handler throws: failed; back to the queue after a second (`basic.reject`, which every version
 *   counts towards the queue's delivery limit)
 * - `{ reject }`: never; to the dead letters, with the reason
 */
export type Verdict = 'ack' | 'requeue' | 'later' | { reject: string };

// eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- a handler may well return nothing
type Answer = Verdict | void;

export interface ConsumerOptions<Kind extends MessageKind> {
  queue: string;
  /** What the messages are; one that is something else is rejected with the reason. */
  message: Kind;
  /** Most unacknowledged deliveries at once, and so handlers. @default 10 */
  prefetch?: number;
  handle(delivery: Delivery<BodyOf<Kind>>): Promise<Answer> | Answer;
  /**
   * Where what is rejected goes, with the reason in the header `x-offload-reason` and the routing key it came with in
   * `x-offload-queue`. The publisher should be of another connection, so that the broker, when it blocks it, does not
   * stop acknowledgements too.
   * @default the queue's own dead-letter exchange, which can't carry a reason; it is gone if there is none
   */
  deadLetters?: { publisher: Pick<Publisher, 'forward'>; exchange: string };
}

export interface Consumer {
  /** Whether the queue is being consumed now. */
  readonly active: boolean;
  /** Stops new deliveries; those under way may still finish. Calling it again is the same. */
  cancel(): Promise<void>;
  /** The same, and waits for those under way, until the broker has their verdicts. */
  drain(): Promise<void>;
}

const consumerOptions = z.object({ prefetch: z.int().min(1).max(65_535).default(10) });

/** Pause before a message goes back that failed: nobody spins meanwhile. */
const LATER_MS = 1_000;

/** Pause between two tries to send a dead letter, while its publisher's broker is away. */
const DEAD_LETTER_PAUSE_MS = 1_000;

/**
 * Consumes a queue with manual acknowledgement; subscribes again whenever channel, connection, queue or broker come back.
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
  /** Gives the channel back. */
  const over = new AbortController();

  async function take(
    channel: ConfirmChannel,
    acks: Acks,
    message: ConsumeMessage,
    signal: AbortSignal,
  ): Promise<void> {
    acks.arrived(message);
    tellStep(events, 'consumed', queue);
    // What was under way to us when we stopped is for others.
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
      if (!isAbort(error, signal)) fault(error); // that a delivery is lost is no fault here
    }
    await delay(LATER_MS, undefined, { signal, ref: false }).catch(() => undefined); // lost meanwhile
    return 'later';
  }

  /** Sends a copy with the reason, which a plain reject could not carry. Tried until it is sent or the message is lost. */
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
        if (hopeless) return 'reject'; // it can't be written with one more header: the queue's own way is left
      }
      // Giving it back instead would have it here again at once, until the broker has counted enough of it.
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
    if (!isLost()) subscription = { channel, acks, tag }; // else the connection sees to it
  }

  connection.keepChannel((channel) => (subscribing = subscribeOn(channel)), over.signal).catch(() => undefined); // closed before it was open: `opened` tells

  async function stop(): Promise<void> {
    await subscribing.catch(() => undefined); // one under way has its end first
    await subscription?.channel.cancel(subscription.tag).catch(() => undefined); // the channel is gone: cancelled too
    released = underWay.none().then(release);
  }

  /** Closes the channel, behind the last verdict. */
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

/** Whether that is the signal's own reason, as such or as Node.js wraps it. */
function isAbort(error: unknown, { aborted, reason }: AbortSignal): boolean {
  return aborted && (error === reason || (error as Error | undefined)?.cause === reason);
}

/** A verdict that has been carried out, up to the word to the broker. */
type Sentence = Exclude<Verdict, object> | 'reject' | 'forwarded';

/** On a channel that is closing or gone nothing can be said: the broker has the message back already, or soon. */
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
