import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { eventually } from './eventually.ts';
import { manage, type ManagedServer } from './manage.ts';
import { startBroker, type TestBroker } from './test-broker.ts';
import { testCertificates } from './test-certificates.ts';

const START_MS = 60_000;
const { ca, ...ofServer } = testCertificates();

/** Makes a durable queue with a persistent message, which the broker has confirmed. */
async function queueWithMessage(broker: ManagedServer, name: string, type: 'classic' | 'quorum') {
  await manage('PUT', `/api/queues/%2F/${name}`, { durable: true, arguments: { 'x-queue-type': type } }, broker);
  const message = { payload: 'hello', payload_encoding: 'string', properties: { delivery_mode: 2 }, routing_key: name };
  const published = await manage('POST', '/api/exchanges/%2F/amq.default/publish', message, broker);
  expect(published).toEqual({ routed: true });
  const options = { count: 1, ackmode: 'ack_requeue_false', encoding: 'auto' };
  return { get: () => manage('POST', `/api/queues/%2F/${name}/get`, options, broker) };
}

const connecting = (url: string) => once(connectTcp(Number(new URL(url).port), '127.0.0.1'), 'connect');

describe('startBroker', () => {
  let broker: TestBroker;
  beforeAll(
    async () => void (broker = await startBroker({ consumerTimeoutMs: 1_000, tls: { ca, ...ofServer } })),
    START_MS,
  );
  afterAll(() => broker?.remove());

  it(
    'keeps its ports and its confirmed messages after a kill and a start',
    async () => {
      const { get } = await queueWithMessage(broker, 'kept', 'classic');
      await broker.flush();
      await broker.kill();
      await expect(connecting(broker.amqpUrl)).rejects.toThrow('ECONNREFUSED');
      await expect(connecting(broker.managementUrl)).rejects.toThrow('ECONNREFUSED');
      await broker.start();
      expect(await get()).toMatchObject([{ payload: 'hello' }]);
    },
    START_MS,
  );

  it(
    'is empty after a wipe, with the same ports and its first user',
    async () => {
      await queueWithMessage(broker, 'wiped', 'quorum');
      await broker.wipe();
      expect(await manage('GET', '/api/queues/%2F', undefined, broker)).toEqual([]);
      await queueWithMessage(broker, 'wiped', 'quorum');
    },
    START_MS,
  );

  it('listens with TLS, with a certificate of its own authority', async () => {
    const { hostname, port } = new URL(broker.amqpsUrl as string);
    const dial = (authority: string) => connectTls({ host: hostname, port: Number(port), ca: authority });
    const socket = dial(ca);
    await once(socket, 'secureConnect');
    socket.destroy();
    await expect(once(dial(testCertificates().ca), 'secureConnect')).rejects.toThrow('certificate');
  });

  it('requeues a delivery that stays unacknowledged for longer than consumerTimeoutMs', async () => {
    const { get } = await queueWithMessage(broker, 'held', 'quorum');
    // A consumer inside the broker, with the Erlang client, whose records are tuples. It never acknowledges.
    const consume = `
      {ok, Connection} = amqp_connection:start({amqp_params_direct, none, none, <<"/">>, node(), none, []}),
      {ok, Channel} = amqp_connection:open_channel(Connection),
      amqp_channel:subscribe(Channel, {'basic.consume', 0, <<"held">>, <<>>, false, false, false, false, []}, self()),
      receive {{'basic.deliver', _, _, _, _, _}, _} -> delivered after 10000 -> nothing end.`;
    expect(await broker.control('eval', consume)).toBe('delivered');
    await eventually(async () => expect(await get()).toMatchObject([{ payload: 'hello', redelivered: true }]));
  });

  it('runs rabbitmqctl, and rejects with its error', async () => {
    await broker.control('set_vm_memory_high_watermark', 'absolute', '123MB');
    const limit = 'vm_memory_monitor:get_vm_memory_high_watermark().';
    expect(await broker.control('eval', limit)).toMatch(/absolute,.*123/);
    await expect(broker.control('delete_vhost', 'missing')).rejects.toThrow('missing');
  });
});

describe('startBroker with definitions', () => {
  it(
    'has only the users in them, and removes its data',
    async () => {
      const everything = { user: 'boss', vhost: '/', configure: '.*', write: '.*', read: '.*' };
      const broker = await startBroker({
        definitions: {
          users: [{ name: 'boss', password: 'secret', tags: 'administrator' }],
          vhosts: [{ name: '/' }],
          permissions: [everything],
          queues: [{ name: 'defined', vhost: '/', durable: true, auto_delete: false, arguments: {} }],
        },
      });
      try {
        expect(new URL(broker.amqpUrl).username).toBe('');
        const asUser = (username: string, password: string): ManagedServer => ({
          ...broker,
          amqpUrl: Object.assign(new URL(broker.amqpUrl), { username, password }).href,
        });
        const boss = asUser('boss', 'secret');
        expect(await manage('GET', '/api/users', undefined, boss)).toMatchObject([{ name: 'boss' }]);
        expect(await manage('GET', '/api/queues/%2F/defined', undefined, boss)).toMatchObject({ name: 'defined' });
        await expect(manage('GET', '/api/whoami', undefined, asUser('guest', 'guest'))).rejects.toThrow('401');

        const data = await broker.control(
          'eval',
          '{ok, Folder} = application:get_env(ra, data_dir), list_to_binary(Folder).',
        );
        await broker.remove();
        expect(data).toMatch(/^<<"\/.+">>$/);
        expect(existsSync(data.slice(3, -3))).toBe(false); // a container's folder was never on this machine
        await expect(connecting(broker.amqpUrl)).rejects.toThrow('ECONNREFUSED');
        await expect(broker.start()).rejects.toThrow('There is no broker any more');
      } finally {
        await broker.remove();
      }
    },
    START_MS,
  );
});
