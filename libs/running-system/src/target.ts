import { on } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request that waits for its answer. */
export interface Call {
  answer(status: number, body?: string): void;
  /** Resolves when the request is answered or its client has gone. */
  readonly closed: Promise<void>;
}

/** A server for `http.request` jobs. The test answers each request after it has arrived. */
export interface Target {
  readonly url: string;
  /** Number of requests that have arrived. */
  readonly requests: number;
  /** Waits for the next request that no earlier call has returned. */
  next(): Promise<Call>;
  close(): void;
}

/** Starts a target on a free port of 127.0.0.1. */
export async function startTarget(): Promise<Target> {
  const server = createServer();
  const arrivals = on(server, 'request') as AsyncIterator<[IncomingMessage, ServerResponse]>;
  let requests = 0;
  server.on('request', () => (requests += 1));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    get requests() {
      return requests;
    },
    async next() {
      const [, response] = (await arrivals.next()).value;
      const closed = new Promise<void>((resolve) => response.once('close', resolve));
      return { answer: (status, body = '') => void response.writeHead(status).end(body), closed };
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
