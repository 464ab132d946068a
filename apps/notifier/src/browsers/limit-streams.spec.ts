import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it } from '@jest/globals';
import { authenticate, serviceVariables } from '@offload/access';
import { newApiKey } from '@offload/access/secrets';
import { createHttpService, listen } from '@offload/http';
import { createLogger, createMetrics } from '@offload/process';
import type { Response } from 'express';
import { limitStreams } from './limit-streams.ts';

/** A client with a key, so that its streams count for its name: a client that has left has no address any more. */
const reader = newApiKey('reader', ['read']);

/** A service with one stream for each client. The test decides when a token is verified. */
async function setup() {
  const looking: { response: Response; next: () => void }[] = [];
  const service = createHttpService({
    log: createLogger('notifier', { level: 'silent', instance: 'spec' }),
    metrics: createMetrics(),
    checks: {},
    routes(app) {
      app.get(
        '/stream',
        authenticate(serviceVariables.API_KEYS.parse(reader.entry)),
        (_request, response, next) => void looking.push({ response, next }),
        limitStreams(1),
        (_request, response) => response.flushHeaders(),
      );
    },
  });
  const server = await listen(service, { host: '127.0.0.1', port: 0 });
  async function ask() {
    const socket = connect(server.port, '127.0.0.1');
    socket.write(`GET /stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${reader.key}\r\n\r\n`);
    while (looking.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const { response, next } = looking.pop() as (typeof looking)[number];
    return {
      async leave() {
        socket.destroy();
        if (!response.closed) await once(response, 'close');
      },
      next,
      async status() {
        next();
        const [octets] = (await once(socket, 'data')) as [Buffer];
        return octets.toString().slice(9, 12);
      },
    };
  }
  return { ask, close: () => server.close(0) };
}

it('keeps no place for a client that leaves while its token is verified', async () => {
  const { ask, close } = await setup();
  for (let times = 0; times < 3; times += 1) {
    const gone = await ask();
    await gone.leave();
    gone.next();
  }
  expect(await (await ask()).status()).toBe('200');
  await close();
});

it('frees the place of a stream when its client leaves, and no place for a refused stream', async () => {
  const { ask, close } = await setup();
  const first = await ask();
  expect(await first.status()).toBe('200');
  const refused = await ask();
  expect(await refused.status()).toBe('429');
  await refused.leave();
  expect(await (await ask()).status()).toBe('429');
  await first.leave();
  expect(await (await ask()).status()).toBe('200');
  await close();
});
