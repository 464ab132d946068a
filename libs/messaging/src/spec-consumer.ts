import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import { eventually, takeAll } from '@offload/spec-kit';
import { openProxy } from '@offload/spec-kit/servers';
import { z } from 'zod';
import { consume, type ConsumerOptions, type Verdict } from './consumer.ts';
import type { Delivery } from './delivery.ts';
import type { useVhost } from './spec-vhost.ts';

const number = { type: 'number', version: 2, schema: z.object({ n: z.int() }) };
export const topology = {
  exchanges: { to: { type: 'direct' }, gone: { type: 'fanout' } },
  queues: {
    inbox: { bindings: [{ exchange: 'to', routingKey: 'in' }], deadLetterExchange: 'gone' },
    lost: { bindings: [{ exchange: 'gone' }] },
  },
} as const;

export type Message = Delivery<{ n: number }>;
/** A delivery that waits for the test to decide. */
type Held = Message & { decide(verdict: Verdict): void; fail(error: Error): void };

/** Makes consumers whose deliveries the test decides upon, with somebody who sends and looks. */
export const consumersOn =
  (vhost: ReturnType<typeof useVhost>) =>
  async (options: Partial<ConsumerOptions<typeof number>> = {}) => {
    const way = vhost.closeAfterwards(await openProxy(vhost.url));
    const { connection, steps, faults, losses, becomes } = vhost.connect({ url: way.url, topology });
    const observer = await vhost.observer();
    const deliveries: Held[] = [];
    const handle = (message: Message): Promise<Verdict> =>
      new Promise((resolve, reject) => deliveries.push({ ...message, decide: resolve, fail: reject }));
    const consumer = consume(connection, { queue: 'inbox', message: number, handle, ...options });
    await connection.keepChannel(async () => undefined); // and the consumer's is open before

    async function send(body: unknown, properties: Record<string, unknown> = { messageId: randomUUID() }) {
      const content = typeof body === 'string' ? body : JSON.stringify({ n: body });
      observer.publish('to', 'in', Buffer.from(content), { persistent: true, ...properties });
      await observer.waitForConfirms();
    }
    /** The delivery at this place, once it is there. */
    const delivery = (index: number): Promise<Held> =>
      eventually(() => {
        const found = deliveries[index];
        if (!found) throw new Error(`there is no delivery ${index}`);
        return found;
      });
    /** What is in the queue once nobody consumes it: whatever was not acknowledged is back by then. */
    async function left(): Promise<unknown[]> {
      await connection.close();
      await eventually(async () => expect(await observer.checkQueue('inbox')).toMatchObject({ consumerCount: 0 }));
      return (await takeAll(observer, 'inbox')).map((body) => JSON.parse(body));
    }
    return { connection, becomes, consumer, observer, way, deliveries, steps, faults, losses, send, delivery, left };
  };
