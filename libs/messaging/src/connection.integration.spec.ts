import type { EventEmitter } from 'node:events';
import { connect as connectTo, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { eventually, freshVhost, manage, type FreshVhost } from '@offload/testing';
import type { ConfirmChannel } from 'amqplib';
import { openConnection, type ConnectionOptions } from './connection.ts';

let vhost: FreshVhost;
const opened: { close(): Promise<void> }[] = [];
beforeEach(async () => void (vhost = await freshVhost()));
afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each.close()));
  await vhost.remove();
});

async function setup(options: Partial<ConnectionOptions> = {}) {
  const states: string[] = [];
  const reasons: (string | undefined)[] = [];
  const onRefused = jest.fn<(error: Error) => void>();
  const connection = await openConnection({
    url: vhost.amqpUrl,
    name: 'spec',
    maxReconnectDelayMs: 50,
    onStateChange(state, reason) {
      states.push(state);
      reasons.push(reason);
    },
    onRefused,
    ...options,
  });
  opened.push(connection);
  const becomes = (state: string) => eventually(() => expect(connection.state).toBe(state));
  return { connection, states, reasons, onRefused, becomes };
}

/** A way to the broker that can be opened late, held up and cut. */
async function proxy() {
  const target = new URL(vhost.amqpUrl);
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connectTo(Number(target.port), target.hostname);
    for (const [socket, other] of [[near, far] as const, [far, near] as const]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => other.destroy());
      socket.pipe(other);
    }
  });
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const shut = () => new Promise<void>((resolve) => server.close(() => resolve()));
  const cut = () => sockets.forEach((socket) => socket.destroy());
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const url = Object.assign(new URL(vhost.amqpUrl), { host: `127.0.0.1:${port}` }).href;
  opened.push({
    close: () => {
      cut();
      return server.listening ? shut() : Promise.resolve();
    },
  });
  return { url, shut, open: () => listen(port), cut, hold: () => sockets.forEach((socket) => socket.unpipe().pause()) };
}

describe('openConnection', () => {
  it('opens, closes, and reports each once', async () => {
    const { connection, states, becomes } = await setup();
    expect(connection.state).toBe('connecting');
    await becomes('open');
    await connection.close();
    await connection.close();
    expect(connection.state).toBe('closed');
    expect(states).toEqual(['open', 'closed']);
  });

  it('is refused for good with a wrong password', async () => {
    const url = Object.assign(new URL(vhost.amqpUrl), { password: 'wrong' }).href;
    const { onRefused, states, becomes } = await setup({ url });
    await becomes('closed');
    expect(onRefused).toHaveBeenCalledTimes(1);
    expect(onRefused.mock.calls[0]?.[0].message).toContain('ACCESS_REFUSED');
    expect(states).toEqual(['closed']);
  });

  it('is refused for good by a virtual host that does not exist', async () => {
    const { onRefused, becomes } = await setup({ url: `${vhost.amqpUrl}-not` });
    await becomes('closed');
    expect(onRefused).toHaveBeenCalledTimes(1);
  });

  it('waits out a broker that is not up yet', async () => {
    const { url, shut, open } = await proxy();
    await shut();
    const { connection, states, reasons, onRefused, becomes } = await setup({ url });
    const prepared = jest.fn(async () => undefined);
    const ready = connection.keepChannel(prepared);
    await eventually(() => expect(states).toEqual(['connecting']));
    expect(reasons[0]).toContain('ECONNREFUSED');
    expect(prepared).not.toHaveBeenCalled();
    await open();
    await ready;
    await becomes('open');
    expect(states).toEqual(['connecting', 'open']);
    expect(prepared).toHaveBeenCalledTimes(1);
    expect(onRefused).not.toHaveBeenCalled();
  });

  it('comes back after a cut, and sets its channels up again in their order', async () => {
    const { url, cut } = await proxy();
    const { connection, states } = await setup({ url });
    const order: number[] = [];
    const keep = (number: number) => connection.keepChannel(async () => void order.push(number));
    await Promise.all([keep(1), keep(2), keep(3)]);
    for (const round of [1, 2]) {
      cut();
      await eventually(() => expect(states).toHaveLength(1 + 2 * round));
    }
    expect(order).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3]);
    expect(states).toEqual(['open', 'connecting', 'open', 'connecting', 'open']);
  });

  it('is not refused by a virtual host that goes while it is connected: it may come back', async () => {
    const { states, onRefused, becomes } = await setup();
    await becomes('open');
    await vhost.remove();
    await eventually(() => expect(states.at(-1)).toBe('connecting'));
    await manage('PUT', `/api/vhosts/${vhost.name}`);
    const everything = { configure: '.*', write: '.*', read: '.*' };
    await manage('PUT', `/api/permissions/${vhost.name}/${new URL(vhost.amqpUrl).username}`, everything);
    await becomes('open');
    expect(onRefused).not.toHaveBeenCalled();
  });

  it('tells when the broker blocks it, and when it no longer does', async () => {
    const { connection, states, reasons } = await setup();
    let channel!: ConfirmChannel;
    await connection.keepChannel(async (opened) => void (channel = opened));
    const broker = channel.connection as unknown as EventEmitter;
    broker.emit('blocked', 'low on memory'); // as on connection.blocked; the alarm would hit every vhost
    expect([connection.state, reasons.at(-1)]).toEqual(['blocked', 'low on memory']);
    await connection.keepChannel(async () => undefined); // changes nothing about it
    broker.emit('unblocked');
    expect(states).toEqual(['open', 'blocked', 'open']);
  });
});

describe('keepChannel', () => {
  it('is done only when the connection is open, and works right after another is done', async () => {
    const { connection } = await setup();
    await connection.keepChannel(async () => undefined);
    expect(connection.state).toBe('open');
    await Promise.resolve();
    await connection.keepChannel(async () => undefined);
  });

  it('opens a channel that is lost alone again, on the same connection', async () => {
    const { connection, states } = await setup();
    const channels: ConfirmChannel[] = [];
    await connection.keepChannel(async (channel) => void channels.push(channel));
    await expect(channels[0]?.checkQueue('missing')).rejects.toThrow('NOT_FOUND');
    await eventually(() => expect(channels).toHaveLength(2));
    await channels[1]?.assertQueue('there');
    expect(channels[1]?.connection).toBe(channels[0]?.connection);
    expect(states).toEqual(['open']);
  });

  it('tries again until the channel can be set up, and reports the trouble once', async () => {
    const { connection, states, reasons, becomes } = await setup();
    let queues!: ConfirmChannel;
    await connection.keepChannel(async (channel) => void (queues = channel));
    const tries = jest.fn();
    const ready = connection.keepChannel(async (channel) => {
      tries();
      await channel.checkQueue('late');
    });
    await eventually(() => expect(tries.mock.calls.length).toBeGreaterThan(2));
    expect(states).toEqual(['open', 'connecting']);
    expect(reasons.at(-1)).toContain('NOT_FOUND');
    await queues.assertQueue('late');
    await ready;
    await becomes('open');
    expect(states).toEqual(['open', 'connecting', 'open']);
  });

  it('opens a channel again that is lost while the next one is set up', async () => {
    const { connection } = await setup();
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
});

describe('close', () => {
  it('first sends what its channels have yet to send', async () => {
    const { connection } = await setup();
    let channel!: ConfirmChannel;
    await connection.keepChannel(async (opened) => void (channel = opened));
    await channel.assertQueue('classic', { durable: true });
    for (let count = 0; count < 100; count += 1) channel.sendToQueue('classic', Buffer.alloc(10_000));
    await connection.close();
    const later = await setup();
    await later.connection.keepChannel(async (opened) => void (channel = opened));
    expect(await channel.checkQueue('classic')).toMatchObject({ messageCount: 100 });
  });

  it('ends too when the connection goes before the broker has said goodbye', async () => {
    const { url, hold, cut } = await proxy();
    const { connection, states, becomes } = await setup({ url });
    await connection.keepChannel(async () => undefined);
    await becomes('open');
    hold();
    const closing = connection.close();
    cut();
    await closing;
    expect(states).toEqual(['open', 'closed']);
  });

  it('ends while the broker is away, and connects no more', async () => {
    const { url, shut, open, cut } = await proxy();
    const { connection, states, becomes } = await setup({ url });
    await becomes('open');
    const down = shut();
    cut();
    await down;
    await becomes('connecting');
    await connection.close();
    await open();
    expect(new Set(states)).toEqual(new Set(['open', 'connecting', 'closed']));
    expect([connection.state, states.at(-1)]).toEqual(['closed', 'closed']);
  });
});
