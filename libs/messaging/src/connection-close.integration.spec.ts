import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '@offload/spec-kit';
import { openProxy } from '@offload/spec-kit/servers';
import { BrokerUnavailableError } from './errors.ts';
import { text } from './message.ts';
import { createPublisher } from './publisher.ts';
import { channelOf, useVhost } from './spec-vhost.ts';

const vhost = useVhost();
const proxy = async () => vhost.closeAfterwards(await openProxy(vhost.url));
const names = (states: [string, string?][]) => states.map(([state]) => state);

describe('close', () => {
  it('first sends what its channels have yet to send', async () => {
    const { connection } = vhost.connect({ topology: { queues: { inbox: { type: 'classic' } } } });
    const { latest } = await channelOf(connection);
    for (let count = 0; count < 100; count += 1) latest.sendToQueue('inbox', Buffer.alloc(10_000));
    await connection.close();
    expect(await (await vhost.observer()).checkQueue('inbox')).toMatchObject({ messageCount: 100 });
  });

  it('ends too when the connection goes before the broker has said goodbye', async () => {
    const way = await proxy();
    const { connection, states } = vhost.connect({ url: way.url });
    await connection.opened;
    way.hold();
    const closing = connection.close();
    way.cut();
    await closing;
    expect(names(states)).toEqual(['open', 'closed']);
  });

  it('ends while the broker is away, and connects no more', async () => {
    const way = await proxy();
    const { connection, states, becomes } = vhost.connect({ url: way.url });
    await connection.opened;
    const down = way.shut();
    way.cut();
    await down;
    await becomes('connecting');
    await connection.close();
    await way.open();
    expect(new Set(names(states))).toEqual(new Set(['open', 'connecting', 'closed']));
    expect([connection.state, names(states).at(-1)]).toEqual(['closed', 'closed']);
  });

  it('before the connection ever opened fails whoever waits for it, with a word why', async () => {
    const way = await proxy();
    await way.shut();
    const { connection } = vhost.connect({ url: way.url });
    const waiting = Promise.allSettled([connection.opened, connection.keepChannel(async () => undefined)]);
    await connection.close();
    const rejected = { status: 'rejected', reason: new BrokerUnavailableError('the connection is closed') };
    expect(await waiting).toEqual([rejected, rejected]);
  });

  it('leaves no socket to a broker that says nothing', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => void sockets.push(socket.on('error', () => undefined)));
    await once(silent.listen(0, '127.0.0.1'), 'listening');
    const { port } = silent.address() as AddressInfo;
    const { connection } = vhost.connect({ url: `amqp://127.0.0.1:${port}` });
    await eventually(() => expect(sockets).toHaveLength(1));
    await connection.close();
    await eventually(() => expect(sockets[0]?.resume().readableEnded || sockets[0]?.destroyed).toBe(true), {
      timeoutMs: 3_000, // amqplib itself would wait for 10 s
    });
    silent.close();
  });

  it('settles what is in flight to a broker that has stopped answering', async () => {
    const way = await proxy();
    const { connection } = vhost.connect({ url: way.url });
    const publisher = createPublisher(connection, { timeoutMs: 600_000 });
    await publisher.publish(text, 'arrives', { queue: 'nowhere', mandatory: false });
    way.hold();
    const inFlight = publisher.publish(text, 'does not', { queue: 'nowhere' }).catch((error: Error) => error);
    await connection.close();
    expect(await inFlight).toBeInstanceOf(BrokerUnavailableError);
  });
});
