import { once } from 'node:events';
import { connect } from 'node:net';

import { expect, it } from '@jest/globals';

import { openProxy } from './proxy.ts';
import { testServer } from './test-server.ts';

it('connects to a broker', async () => {
  const proxy = await openProxy(testServer('TEST_AMQP_URL').href);
  const socket = connect(Number(new URL(proxy.url).port), '127.0.0.1');
  socket.write('AMQP\x00\x00\x09\x01'); // AMQP 0-9-1, 4.2.2: the client's first words
  const [answer] = (await once(socket, 'data')) as [Buffer];
  const methodFrame = [answer[0], answer.readUInt16BE(7), answer.readUInt16BE(9)];
  expect(methodFrame).toEqual([1, 10, 10]); // connection.start

  await Promise.all([once(socket, 'close'), proxy.close()]);
});
