import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { afterEach, expect, it } from '@jest/globals';
import { eventually } from '@offload/spec-kit';
import { inTurn } from './in-turn.ts';

const closing: (() => void)[] = [];
afterEach(() => closing.splice(0).forEach((close) => close()));

async function setup() {
  const open: { url: string; response: ServerResponse }[] = [];
  const gone: string[] = [];
  const server = createServer(
    inTurn(({ url = '' }, response) => {
      open.push({ url, response });
      response.on('close', () => response.writableFinished || gone.push(url));
    }),
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  let answers = '';
  client.on('data', (chunk) => (answers += chunk.toString()));
  closing.push(() => (client.destroy(), server.close()));
  const send = (from: number, to: number) => {
    const requests = Array.from(
      { length: to - from },
      (_, index) => `GET /${from + index} HTTP/1.1\r\nHost: spec\r\n\r\n`,
    );
    client.write(requests.join(''));
  };
  return { client, open, gone, send, answers: () => answers };
}

it('handles the next request of a connection after the previous one is answered', async () => {
  const { open, send, answers } = await setup();
  send(0, 3);
  for (const turn of [0, 1, 2]) {
    await eventually(() => expect(open).toHaveLength(turn + 1));
    open[turn]?.response.end(`answer ${turn}`);
  }
  await eventually(() => expect(answers().match(/answer \d/g)).toEqual(['answer 0', 'answer 1', 'answer 2']));
});

it('handles very many pipelined requests, a few at a time', async () => {
  const { open, send } = await setup();
  for (let from = 0; from < 300; from += 50) send(from, from + 50);
  for (let turn = 0; turn < 300; turn += 1) {
    if (open.length <= turn) await eventually(() => expect(open.length).toBeGreaterThan(turn), { intervalMs: 1 });
    open[turn]?.response.end();
  }
  expect(open.map(({ url }) => url)).toEqual(Array.from({ length: 300 }, (_, index) => `/${index}`));
});

it('closes the current response when the client has gone, and drops the waiting requests', async () => {
  const { client, open, gone, send } = await setup();
  send(0, 10);
  await eventually(() => expect(open).toHaveLength(1));
  client.destroy();
  await eventually(() => expect(gone).toEqual(['/0']));
  expect(open).toHaveLength(1);
});
