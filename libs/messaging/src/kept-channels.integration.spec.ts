import { getEventListeners } from 'node:events';
import { describe, expect, it, jest } from '@jest/globals';
import { eventually, takeAll } from '@offload/spec-kit';
import type { ConfirmChannel } from 'amqplib';
import { consume } from './consumer.ts';
import { text } from './message.ts';
import { createPublisher } from './publisher.ts';
import { channelOf, useVhost } from './spec-vhost.ts';

const vhost = useVhost();
const names = (states: [string, string?][]) => states.map(([state]) => state);

describe('keepChannel', () => {
  it('is done only when the connection is open, and works right after another is done', async () => {
    const { connection } = vhost.connect();
    await connection.keepChannel(async () => undefined);
    expect(connection.state).toBe('open');
    await Promise.resolve();
    await connection.keepChannel(async () => undefined);
  });

  it('opens a channel that is lost alone again, on the same connection', async () => {
    const { connection, states } = vhost.connect();
    const channels: ConfirmChannel[] = [];
    await connection.keepChannel(async (channel) => void channels.push(channel));
    await expect(channels[0]?.checkQueue('missing')).rejects.toThrow('NOT_FOUND');
    await eventually(() => expect(channels).toHaveLength(2));
    await channels[1]?.assertQueue('there');
    expect(channels[1]?.connection).toBe(channels[0]?.connection);
    expect(names(states)).toEqual(['open']);
  });

  it('declares the topology again before it does: what the channel needs may be gone too', async () => {
    const { connection } = vhost.connect({ topology: { queues: { inbox: {} } } });
    const channels: ConfirmChannel[] = [];
    await connection.keepChannel(async (channel) => {
      await channel.checkQueue('inbox');
      channels.push(channel);
    });
    const observer = await vhost.observer();
    await observer.deleteQueue('inbox');
    await expect(channels[0]?.checkQueue('inbox')).rejects.toThrow('NOT_FOUND');
    await eventually(() => expect(channels).toHaveLength(2));
    expect(await observer.checkQueue('inbox')).toMatchObject({ messageCount: 0 });
  });

  it('tries again until the channel can be set up, and tells of the trouble once', async () => {
    const { connection, states, becomes } = vhost.connect();
    const observer = await vhost.observer();
    await connection.opened;
    const tries = jest.fn();
    const ready = connection.keepChannel(async (channel) => {
      tries();
      await channel.checkQueue('late');
    });
    await eventually(() => expect(tries.mock.calls.length).toBeGreaterThan(2));
    expect(states).toEqual([
      ['open', undefined],
      ['connecting', expect.stringContaining('NOT_FOUND')],
    ]);
    await observer.assertQueue('late');
    await ready;
    await becomes('open');
    expect(names(states)).toEqual(['open', 'connecting', 'open']);
  });

  it('opens a channel again that is lost while the next one is set up', async () => {
    const { connection } = vhost.connect();
    const channels: ConfirmChannel[] = [];
    const first = connection.keepChannel(async (channel) => void channels.push(channel));
    let sabotaged = false;
    const second = connection.keepChannel(async () => {
      if (!sabotaged) await channels[0]?.close();
      sabotaged = true;
    });
    await Promise.all([first, second]);
    expect(connection.state).toBe('open');
    await channels.at(-1)?.assertQueue('it works');
  });

  it('is not held up by another channel that cannot be set up: neither at the start nor after a reconnect', async () => {
    const observer = await vhost.observer();
    const { connection, states } = vhost.connect({ topology: { queues: { inbox: {} } } });
    const heard: string[] = [];
    consume(connection, { queue: 'theirs', message: text, handle: () => 'ack' });
    const publisher = createPublisher(connection);
    consume(connection, { queue: 'inbox', message: text, handle: ({ body }) => void heard.push(body) });
    await publisher.publish(text, 'at the start', { queue: 'inbox' });
    await eventually(() => expect(heard).toEqual(['at the start']));
    const reason = expect.stringContaining("no queue 'theirs'"); // which may be heard later than the message
    await eventually(() => expect([connection.state, connection.reason]).toEqual(['connecting', reason]));

    await observer.assertQueue('theirs');
    await eventually(() => expect(connection.state).toBe('open'));
    await observer.deleteQueue('theirs');
    await eventually(() => expect(connection.state).toBe('connecting'));
    const { cut } = await channelOf(connection);
    cut();
    await eventually(() => expect(states.map(([, reason]) => reason)).toContain('cut'));
    await publisher.publish(text, 'after a reconnect', { queue: 'inbox' });
    await eventually(() => expect(heard.at(-1)).toBe('after a reconnect'));
    expect(names(states)).not.toContain('closed');
  });

  it('ends with its signal: the channel is closed, and not opened again', async () => {
    const { connection } = vhost.connect({ topology: { queues: { inbox: {} } } });
    const channels: ConfirmChannel[] = [];
    const until = new AbortController();
    await connection.keepChannel(async (channel) => void channels.push(channel), until.signal);
    const closed = new Promise((resolve) => channels[0]?.once('close', resolve));
    until.abort();
    await closed;
    const { cut } = await channelOf(connection);
    cut();
    await channelOf(connection);
    expect(channels).toHaveLength(1);
  });

  it('listens once to its signal, however often it is opened again', async () => {
    const { connection } = vhost.connect();
    const channels: ConfirmChannel[] = [];
    const until = new AbortController();
    await connection.keepChannel(async (channel) => void channels.push(channel), until.signal);
    for (let times = 1; times <= 3; times += 1) {
      await channels.at(-1)?.close();
      await eventually(() => expect(channels).toHaveLength(times + 1));
    }
    expect(getEventListeners(until.signal, 'abort')).toHaveLength(1);
  });

  it('is given back by a consumer that is cancelled: as many as you like may come and go', async () => {
    const { connection } = vhost.connect({ topology: { queues: { inbox: {} } } });
    const { latest } = await channelOf(connection);
    const { channels } = latest.connection as unknown as { channels: unknown[] };
    for (let n = 0; n < 50; n += 1) {
      await consume(connection, { queue: 'inbox', message: text, handle: () => 'ack' }).drain();
    }
    const publisher = createPublisher(connection);
    await publisher.publish(text, 'still there', { queue: 'inbox' });
    await eventually(() => expect(channels.filter((channel) => channel).length).toBeLessThan(10));
    expect(await takeAll(await vhost.observer(), 'inbox')).toEqual(['still there']);
  });
});
