import { afterEach } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import type { OutboundResponse } from './body.ts';
import type { Target } from './dial.ts';
import { createOutbound, type Outbound, type OutboundOptions } from './outbound.ts';

/** Servers and outbounds that the spec closes after each test. */
export const opened: { close(): unknown }[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each.close()));
});

/** Makes an outbound that is closed after the test. */
export function setup(options: OutboundOptions = { allowPrivateTargets: true }): Outbound {
  const outbound = createOutbound(options);
  opened.push(outbound);
  return outbound;
}

/** Starts an HTTP server on a free port, which is closed after the test. */
export async function serve(listener: RequestListener): Promise<{ url: string; port: number; server: Server }> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  opened.push({ close: () => (server.closeAllConnections(), server.close()) });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, port, server };
}

/** Starts a server that answers with exactly these bytes, HTTP or not. */
export async function serveOctets(octets: string): Promise<string> {
  const server = createTcpServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(octets, 'latin1'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  opened.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** Reads the body as text. */
export const text = async (response: OutboundResponse) => Buffer.from(await response.bytes()).toString();

/** Makes an outbound without a network: `names` is its whole DNS, and connections are only recorded. */
export function offline(names: Record<string, string[]>, allowPrivateTargets = false) {
  const dialled: Target[] = [];
  const outbound = setup({
    allowPrivateTargets,
    resolve: (hostname) => Promise.resolve(names[hostname] ?? []),
    connect: (target) => {
      dialled.push(target);
      return Promise.reject(new Error('offline'));
    },
  });
  return { outbound, dialled };
}
