import { eventually } from './eventually.ts';

/** A channel of any AMQP client. */
interface Channel<Message> {
  get(queue: string, options: { noAck: true }): Promise<Message | false>;
}

/** Takes all messages of the queue and returns their bodies. The queue is empty afterwards. */
export async function takeAll(channel: Channel<{ content: Buffer }>, queue: string): Promise<string[]> {
  const bodies: string[] = [];
  for (let got; (got = await channel.get(queue, { noAck: true }));) bodies.push(got.content.toString());
  return bodies;
}

/** Waits for the next message in the queue, and takes it. */
export function take<Message>(channel: Channel<Message>, queue: string): Promise<Message> {
  return eventually(async () => {
    const message = await channel.get(queue, { noAck: true });
    if (!message) throw new Error(`${queue} is empty`);
    return message;
  });
}
