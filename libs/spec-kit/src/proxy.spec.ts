import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { eventually } from './eventually.ts';
import { openProxy, type Proxy } from './proxy.ts';

let server: Server;
let proxy: Proxy;
/** All that the server has received, on all connections. */
let received = '';
/** The server's sockets. */
let accepted: Socket[] = [];

beforeEach(async () => {
  [received, accepted] = ['', []];
  server = createServer((socket) => {
    accepted.push(socket);
    socket
      .on('error', () => undefined)
      .on('data', (data) => {
        received += String(data);
        socket.write(String(data).toUpperCase());
      });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy = await openProxy(`echo://127.0.0.1:${(server.address() as AddressInfo).port}/path`);
});
afterEach(async () => {
  await proxy.close();
  server.close();
});

/** Opens a connection through the proxy, and records what it receives. */
async function dial() {
  const socket = connect(Number(new URL(proxy.url).port), '127.0.0.1');
  const heard = { text: '', closed: false };
  socket.on('data', (data) => (heard.text += String(data))).on('close', () => (heard.closed = true));
  await once(socket, 'connect');
  const hears = (text: string) => eventually(() => expect(heard.text).toBe(text));
  return { socket, heard, hears };
}

/** Sends bytes on a new connection and back. All earlier bytes have then passed too. */
async function roundTrip() {
  const { socket, heard } = await dial();
  socket.write('.');
  await eventually(() => expect(heard.text).toBe('.'));
  socket.destroy();
}

it('has the URL of its target with another address', () => {
  expect(proxy.url).toMatch(/^echo:\/\/127\.0\.0\.1:\d+\/path$/);
});

it('refuses a target without a port', async () => {
  await expect(openProxy('amqp://localhost/')).rejects.toThrow('needs a port');
});

it('passes all bytes both ways, and the end of each side to the other', async () => {
  const { socket, heard, hears } = await dial();
  socket.write('one');
  await hears('ONE');
  accepted[0]?.end('bye');
  await hears('ONEbye');
  await eventually(() => expect(heard.closed).toBe(true));

  const other = await dial();
  await eventually(() => expect(accepted).toHaveLength(2));
  other.socket.end();
  await eventually(() => expect(accepted[1]?.closed).toBe(true));
});

describe('cut', () => {
  it('ends the connections on both sides, and accepts new ones', async () => {
    const { heard } = await dial();
    await eventually(() => expect(accepted).toHaveLength(1));
    proxy.cut();
    await eventually(() => expect([heard.closed, accepted[0]?.closed]).toEqual([true, true]));
    await roundTrip();
  });

  it('ends held connections too', async () => {
    const { heard } = await dial();
    await eventually(() => expect(accepted).toHaveLength(1));
    proxy.hold();
    proxy.cut();
    await eventually(() => expect([heard.closed, accepted[0]?.closed]).toEqual([true, true]));
  });
});

describe('hold', () => {
  it('holds all bytes, and the end of one side, until it is let go', async () => {
    const { socket, heard, hears } = await dial();
    socket.write('a');
    await hears('A');
    proxy.hold();
    socket.write('b');
    accepted[0]?.end('!');
    await roundTrip();
    expect([received, heard]).toEqual(['a.', { text: 'A', closed: false }]);

    proxy.letGo();
    await hears('A!');
    await eventually(() => expect(heard.closed).toBe(true));
  });

  it('holds a reset too', async () => {
    const { heard } = await dial();
    await eventually(() => expect(accepted).toHaveLength(1));
    proxy.hold();
    accepted[0]?.resetAndDestroy();
    await roundTrip();
    expect(heard.closed).toBe(false);
    proxy.letGo();
    await eventually(() => expect(heard.closed).toBe(true));
  });

  it('of the answers passes the requests', async () => {
    const { socket, heard, hears } = await dial();
    await eventually(() => expect(accepted).toHaveLength(1));
    proxy.hold('answers');
    socket.write('a');
    await eventually(() => expect(received).toBe('a'));
    await roundTrip();
    expect(heard.text).toBe('');
    proxy.letGo('answers');
    await hears('A');
  });

  it('of the requests passes the answers', async () => {
    const { socket, hears } = await dial();
    await eventually(() => expect(accepted).toHaveLength(1));
    proxy.hold('requests');
    socket.write('a');
    accepted[0]?.write('news');
    await hears('news');
    await roundTrip();
    expect(received).toBe('.');
    proxy.letGo();
    await hears('newsA');
  });
});

describe('shut', () => {
  it('refuses new connections until it is opened again, and keeps the existing ones', async () => {
    const { socket, hears } = await dial();
    proxy.shut();
    proxy.shut();
    await expect(dial()).rejects.toThrow('ECONNREFUSED');
    socket.write('still');
    await hears('STILL');

    await proxy.open();
    await proxy.open();
    await roundTrip();
    socket.write('.');
    await hears('STILL.');
  });
});

it('does not listen after it is closed', async () => {
  const { heard } = await dial();
  await proxy.close();
  await eventually(() => expect(heard.closed).toBe(true));
  await expect(dial()).rejects.toThrow('ECONNREFUSED');
});
