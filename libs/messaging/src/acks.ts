import amqp, { type ConfirmChannel, type ConsumeMessage } from 'amqplib';

/** Acknowledges the deliveries of one channel together: see {@link gatherAcks}. */
export interface Acks {
  /** Must be called for every delivery, in the order of arrival. */
  arrived(message: ConsumeMessage): void;
  /**
   * @param told is called with true after the acknowledgement was sent, with false if the channel is closing or gone
   */
  ack(message: ConsumeMessage, told: (sent: boolean) => void): void;
  /** Marks a delivery that was rejected or requeued, so that no later acknowledgement includes it. */
  settled(message: ConsumeMessage): void;
  /** Sends the acknowledgements that wait. Call it before the channel is closed. */
  flush(): void;
}

/**
 * Gathers the acknowledgements of one turn of the event loop. Deliveries that finish in their order of arrival are
 * acknowledged with one `multiple` acknowledgement, because each acknowledgement is an entry in a quorum queue's log.
 * https://www.rabbitmq.com/docs/confirms#consumer-acks-multiple-parameter
 */
export function gatherAcks(channel: ConfirmChannel): Acks {
  /** Delivery tags that are not settled yet, in the order of arrival. */
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
