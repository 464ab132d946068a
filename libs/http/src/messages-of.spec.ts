import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from '@jest/globals';
import express from 'express';
import { messagesOf } from './messages-of.ts';

it("makes requests and responses that already have the prototypes of the application's Express", async () => {
  const app = express();
  app.get('/', (request, response) => void response.json({ path: request.path, ownApp: request.app === app }));
  const server = createServer(messagesOf(app), (request, response) => {
    expect(Object.getPrototypeOf(request)).toBe(app.request);
    expect(Object.getPrototypeOf(response)).toBe(app.response);
    app(request, response);
    expect(Object.getPrototypeOf(request)).toBe(app.request);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  try {
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    expect(await answer.json()).toEqual({ path: '/', ownApp: true });
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

it('leaves the messages of other listeners as they are', () => {
  expect(messagesOf(() => undefined)).toEqual({});
});
