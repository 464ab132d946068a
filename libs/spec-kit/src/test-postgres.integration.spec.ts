import { once } from 'node:events';
import { connect } from 'node:net';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { startPostgres, type TestPostgres } from './test-postgres.ts';

const START_MS = 30_000;

let postgres: TestPostgres;
beforeAll(async () => void (postgres = await startPostgres({ settings: { max_connections: 17 } })), START_MS);
afterAll(() => postgres?.remove());

/** Requests encryption. PostgreSQL answers with one letter: https://www.postgresql.org/docs/18/protocol-flow.html */
async function sslRequest() {
  const socket = connect(Number(new URL(postgres.url).port), '127.0.0.1');
  await once(socket, 'connect');
  socket.write(Buffer.from('0000000804d2162f', 'hex'));
  const [answer] = (await once(socket, 'data')) as [Buffer];
  return { answer: String(answer), socket };
}

it('runs on 127.0.0.1', async () => {
  const { answer, socket } = await sslRequest();
  socket.destroy();
  expect(answer).toBe('N');
});

it(
  'listens on its port again after a restart, and after a kill',
  async () => {
    const { socket } = await sslRequest();
    const closed = once(socket, 'close');
    await postgres.restart('immediate');
    await closed;
    (await sslRequest()).socket.destroy();

    await postgres.kill();
    await expect(sslRequest()).rejects.toThrow('ECONNREFUSED');
    await postgres.start();
    await postgres.start();
    (await sslRequest()).socket.destroy();
  },
  START_MS,
);

it("rejects with PostgreSQL's log when it does not start", async () => {
  const starting = startPostgres({ settings: { max_connections: 'many' } });
  await expect(starting).rejects.toThrow(/did not start.*max_connections.*many/s);
}, 30_000);

it('does not start again after it is removed', async () => {
  await postgres.remove();
  await expect(sslRequest()).rejects.toThrow('ECONNREFUSED');
  await expect(postgres.start()).rejects.toThrow('There is no PostgreSQL any more');
});
