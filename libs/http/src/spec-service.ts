import { afterEach } from '@jest/globals';
import { openRaw, type RawClient } from '@offload/spec-kit';
import type { Express } from 'express';
import { createHttpService, listen, type HttpServiceOptions } from './http-service.ts';
import { createLogger, createMetrics } from '@offload/process';

const cleanup: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
});

/** Starts a service with these routes on a free port, until the test ends. */
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

/** Opens a connection that sends exactly the given bytes, until the test ends. */
export async function connectRaw(port: number, allowHalfOpen = false): Promise<RawClient> {
  const client = await openRaw(port, allowHalfOpen);
  cleanup.push(() => void client.socket.destroy());
  return client;
}

/** Sends `text` on a new connection. @returns all that the server sends until it closes the connection */
export async function exchangeRaw(port: number, text: string | Buffer): Promise<string> {
  const client = await connectRaw(port);
  client.send(text);
  return client.closed;
}
