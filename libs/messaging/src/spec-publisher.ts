import type { EventEmitter } from 'node:events';
import { takeAll } from '@offload/spec-kit';
import { openProxy } from '@offload/spec-kit/servers';
import { z } from 'zod';
import type { PublisherOptions, PublishOptions } from './publish-options.ts';
import { createPublisher } from './publisher.ts';
import { channelOf, type useVhost } from './spec-vhost.ts';

export const note = { type: 'note', version: 1, schema: z.unknown() };
export const topology = {
  exchanges: { to: { type: 'direct' } },
  queues: { inbox: { bindings: [{ exchange: 'to', routingKey: 'inbox' }] } },
} as const;

/** Makes publishers behind a proxy, with an observer that inspects the queue. */
export const publishersOn = (vhost: ReturnType<typeof useVhost>) => async (options?: PublisherOptions) => {
  const way = vhost.closeAfterwards(await openProxy(vhost.url));
  const { connection, steps, states, losses, becomes } = vhost.connect({ url: way.url, topology });
  const publisher = createPublisher(connection, options);
  const channel = await channelOf(connection); // the publisher's channel opens before this one
  const observer = await vhost.observer();
  const publish = (body: unknown, { to = 'inbox', ...more }: PublishOptions & { to?: string } = {}) =>
    publisher.publish(note, body, { exchange: 'to', routingKey: to, ...more });
  return {
    publisher,
    publish,
    connection,
    becomes,
    steps,
    states,
    losses,
    observer,
    way,
    inbox: async (): Promise<unknown[]> => (await takeAll(observer, 'inbox')).map((body) => JSON.parse(body)),
    /**
     * Emits what amqplib emits on connection.blocked and unblocked. broker-faults tests a real alarm, which hits every
     * vhost.
     */
    tell: (event: 'blocked' | 'unblocked') =>
      (channel.latest.connection as unknown as EventEmitter).emit(event, 'low on memory'),
  };
};

/** The error of each call as text; undefined for a call that resolved. */
export const outcomes = async (calls: Promise<void>[]): Promise<(string | undefined)[]> =>
  Promise.all(
    calls.map((call) =>
      call.then(
        () => undefined,
        (error: Error) => `${error.name}: ${error.message}`,
      ),
    ),
  );
