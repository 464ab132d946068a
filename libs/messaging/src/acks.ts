import amqp, { type ConfirmChannel, type ConsumeMessage } from 'amqplib';

/** What has been done on one channel, acknowledged together: see {@link gatherAcks}. */
export interface Acks {
  /** Every delivery, as it comes. */
  arrived(message: ConsumeMessage): void;
  /** @param told is called once that is said to the broker, or, with false, when the channel is closing or gone */
  ack(message: ConsumeMessage, told: (sent: boolean) => void): void;
  /** It has been settled in another way. */
  settled(message: ConsumeMessage): void;
  /** Acknowledges what has been gathered: to be called before the channel is closed. */
  flush(): void;
}

/**
 * Gathers the acknowledgements of one turn of the event loop. Deliveries that are done in the order in which they came are
 * acknowledged with one word, up to the last of them: to a quorum queue each word is an entry in its log.
 * https://www.rabbitmq.com/docs/confirms#consumer-acks-multiple-parameter
 */
export function gatherAcks(channel: ConfirmChannel): Acks {
  /** Tags of what is not settled yet, in the order of their arrival. */
  let open: number[] = [];
  let waiting: { message: ConsumeMessage; told: (sent: boolean) => void }[] = [];

  function flush(): void {
    if (waiting.length === 0) return;
    const acks = waiting;
    waiting = [];
    const done = new Map(acks.map(({ message }) => [message.fields.deliveryTag, message]));
    const firstOpen = open.findIndex((tag) => !done.has(tag));
    const inOrder = firstOpen === -1 ? open.length : firstOpen;
    const last = done.get(open[inOrder - 1] ?? NaN);
    const alone = open.slice(inOrder).filter((tag) => done.has(tag));
    open = open.slice(inOrder).filter((tag) => !done.has(tag));
    let sent = true;
    try {
      if (last) channel.ack(last, inOrder > 1);
      for (const tag of alone) channel.ack(done.get(tag) as ConsumeMessage);
    } catch (error) {
      if (!(error instanceof amqp.IllegalOperationError)) throw error;
      sent = false;
    }
    for (const { told } of acks) told(sent);
  }

  return {
    arrived: ({ fields }) => void open.push(fields.deliveryTag),
    ack(message, told) {
      waiting.push({ message, told });
      if (waiting.length === 1) process.nextTick(flush);
    },
    settled({ fields }) {
      open = open.filter((tag) => tag !== fields.deliveryTag);
    },
    flush,
  };
}
