import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { openBalancer } from './balancer.ts';
import type { StreamEvent } from './event-fields.ts';
import { openEventSource, type Closed, type EventSource } from './event-source.ts';

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

const answers: Answer[] = [];
const ids: unknown[] = [];
const server = createServer((request, response) => {
  ids.push(request.headers['last-event-id']);
  const answer = answers.shift();
  if (answer) answer(response, request);
  else response.writeHead(204).end();
});
let url = '';

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

const stream =
  (text: string, then: (response: ServerResponse) => void): Answer =>
  (response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.write(text, () => then(response));
  };

/** What a page sees of `script`, until its event source is closed. */
async function follow(script: Answer[], onEvent: (event: StreamEvent, source: EventSource) => void = () => undefined) {
  answers.splice(0, Infinity, ...script);
  ids.length = 0;
  const seen: string[] = [];
  const closed = await new Promise<Closed>((onClosed) => {
    const source = openEventSource(url, {
      onEvent(event) {
        seen.push(event.data);
        onEvent(event, source);
      },
      onClosed,
    });
  });
  return { seen, closed, ids: [...ids] };
}

it('comes again with the last id when the stream ends, is broken off or is reset, until it is told that there is no more', async () => {
  const {
    seen,
    closed,
    ids: sent,
  } = await follow([
    stream('retry: 1\nid: 1\ndata: one\n\n', (response) => response.end()),
    stream('id: 2\ndata: two\n\nid: 3\ndata: cut', (response) => response.destroy()),
    (_response, request) => request.socket.resetAndDestroy(),
    stream('id: 3\ndata: three\n\n', (response) => response.end()),
  ]);
  expect([seen, closed]).toEqual([['one', 'two', 'three'], { how: 'ended' }]);
  expect(sent).toEqual([undefined, '1', '2', '2', '3']);
});

it.each([404, 500, 503])('gives up for good at a %i', async (status) => {
  const { closed } = await follow([(response) => response.writeHead(status).end()]);
  expect(closed).toEqual({ how: 'refused', status });
});

it('asks no more when the page has closed it', async () => {
  const { seen, closed } = await follow([stream('data: one\n\ndata: two\n\n', () => undefined)], (_event, source) =>
    source.close(),
  );
  expect([seen, closed]).toEqual([['one'], { how: 'by the page' }]);
});

it('reaches whichever server listens behind a balancer, and loses its stream with it', async () => {
  const dead = createServer();
  await new Promise<void>((resolve) => dead.listen(0, '127.0.0.1', resolve));
  const deadUrl = `http://127.0.0.1:${(dead.address() as AddressInfo).port}`;
  dead.close();
  const direct = url;
  const balancer = await openBalancer(() => [deadUrl, direct]);
  url = balancer.url;
  const { seen, closed } = await follow([
    stream('retry: 1\ndata: one\n\n', (response) => response.destroy()),
    stream('data: two\n\n', (response) => response.end()),
  ]).finally(() => (url = direct));
  balancer.close();
  expect([seen, closed]).toEqual([['one', 'two'], { how: 'ended' }]);
});
