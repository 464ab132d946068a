import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach } from '@jest/globals';
import type { Express } from 'express';
import { createHttpService, listen, type HttpServiceOptions } from './http-service.ts';
import { createLogger } from './logger.ts';
import { createMetrics } from './metrics.ts';

const cleanup: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
});

/** A service of these routes that really listens, until the test ends. */
export async function serve(
  routes: (app: Express) => void,
  options: Partial<HttpServiceOptions> = {},
  requestTimeoutMs?: number,
) {
  const log = createLogger('spec', { level: 'silent', instance: 'spec' });
  const logged: unknown[] = [];
  log.error = ((...line: unknown[]) => void logged.push(line)) as typeof log.error;
  const metrics = createMetrics();
  const app = createHttpService({ log, metrics, checks: {}, routes, ...options });
  const timeout = requestTimeoutMs === undefined ? {} : { requestTimeoutMs };
  const { port, close } = await listen(app, { host: '127.0.0.1', port: 0, ...timeout });
  cleanup.push(() => close(0));
  return { base: `http://127.0.0.1:${port}`, port, logged, app, metrics };
}

/** A connection that sends exactly what it is told to. */
export interface RawClient {
  socket: Socket;
  send(text: string | Buffer): void;
  /** resolves with everything that has come once it matches */
  received(pattern: RegExp): Promise<string>;
  /** resolves with everything that has come once the server has closed the connection */
  closed: Promise<string>;
  /** what went wrong with the connection; a reset is a way to close it, too */
  errors: Error[];
}

/** @param allowHalfOpen whether it stays open to send when the server has closed its direction */
export async function connectRaw(port: number, allowHalfOpen = false): Promise<RawClient> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen });
  cleanup.push(() => void socket.destroy());
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString('latin1')));
  const closed = new Promise<string>((resolve) => socket.once('close', () => resolve(text)));
  const errors: Error[] = [];
  socket.on('error', (error) => errors.push(error));
  await once(socket, 'connect');
  return {
    socket,
    send: (octets) => void socket.write(octets),
    closed,
    errors,
    received(pattern) {
      return new Promise((resolve, reject) => {
        const look = (): void => {
          if (pattern.test(text)) resolve(text);
        };
        socket.on('data', look);
        socket.once('close', () => reject(new Error(`closed, and no ${pattern} in: ${text}`)));
        look();
      });
    },
  };
}

/** Sends `text` on a new connection. @returns what comes until the server closes the connection */
export async function exchangeRaw(port: number, text: string | Buffer): Promise<string> {
  const client = await connectRaw(port);
  client.send(text);
  return client.closed;
}

/** Takes apart what is exactly one answer. @throws when it is none, or more */
export function parseAnswer(text: string): { status: number; headers: Headers; body: string } {
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const body = rest.join('\r\n\r\n');
  const [statusLine = '', ...fields] = head.split('\r\n');
  const [, status] = /^HTTP\/1\.1 (\d{3}) ./.exec(statusLine) ?? [];
  if (status === undefined) throw new Error(`no answer: ${text}`);
  const headers = new Headers(fields.map((field) => field.split(/: ?(.*)/s).slice(0, 2) as [string, string]));
  const length = Number(headers.get('content-length'));
  if (length !== body.length) throw new Error(`${body.length} octets instead of ${length}: ${text}`);
  return { status: Number(status), headers, body };
}
