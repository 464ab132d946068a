import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually, freshVhost, manage, type FreshVhost } from '@offload/testing';
import amqp, { type Channel } from 'amqplib';
import { openConnection } from './connection.ts';
import { declareTopology, ringQueue, topology } from './topology.ts';

let vhost: FreshVhost;
const opened: { close(): Promise<void> }[] = [];
beforeEach(async () => void (vhost = await freshVhost()));
afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each.close()));
  await vhost.remove();
});

async function setup() {
  const connection = await openConnection({ url: vhost.amqpUrl, name: 'spec', maxReconnectDelayMs: 50 });
  const observer = await amqp.connect(vhost.amqpUrl);
  opened.push(connection, { close: () => observer.close().catch(() => undefined) }); // it may go with its vhost
  return { connection, observer: await observer.createChannel() };
}

const list = (what: string) => manage('GET', `/api/${what}/${vhost.name}`) as Promise<Record<string, unknown>[]>;
const take = (channel: Channel, queue: string) =>
  eventually(async () => {
    const message = await channel.get(queue, { noAck: true });
    if (!message) throw new Error(`${queue} is empty`);
    return message;
  });

describe('declareTopology', () => {
  it('declares what docs/design.md names', async () => {
    const { connection } = await setup();
    await declareTopology(connection, ['default', 'reports']);
    const exchanges = (await list('exchanges')).filter(({ name }) => /^jobs/.test(String(name)));
    expect(exchanges.map(({ name, type, durable }) => [name, type, durable]).sort()).toEqual([
      ['jobs', 'direct', true],
      ['jobs.dead', 'fanout', true],
      ['jobs.events', 'fanout', true],
    ]);
    const queues = await list('queues');
    expect(queues.map(({ name, durable }) => [name, durable]).sort()).toEqual([
      ['jobs.dead', true],
      ['jobs.default', true],
      ['jobs.reports', true],
    ]);
    expect(queues.find(({ name }) => name === ringQueue('default'))).toMatchObject({
      arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 500, 'x-dead-letter-exchange': 'jobs.dead' },
    });
    expect(queues.find(({ name }) => name === topology.dead)).toMatchObject({
      arguments: { 'x-queue-type': 'quorum' },
    });
  });

  it('routes each ring to its queue, and what a consumer refuses to the dead letters', async () => {
    const { connection, observer } = await setup();
    await declareTopology(connection, ['default', 'reports']);
    observer.publish(topology.jobs, 'reports', Buffer.from('ring'));
    const ring = await eventually(async () => {
      const message = await observer.get(ringQueue('reports'));
      if (!message) throw new Error('not there yet');
      return message;
    });
    observer.reject(ring, false);
    expect((await take(observer, topology.dead)).content.toString()).toBe('ring');
    expect(await observer.checkQueue(ringQueue('default'))).toMatchObject({ messageCount: 0 });
    expect(await observer.checkQueue(ringQueue('reports'))).toMatchObject({ messageCount: 0 });
  });

  it('leaves what is there already as it is', async () => {
    const [{ connection, observer }, other] = [await setup(), await setup()];
    await Promise.all([declareTopology(connection, ['default']), declareTopology(other.connection, ['default'])]);
    observer.sendToQueue(ringQueue('default'), Buffer.from('ring'));
    await declareTopology(connection, ['default']);
    expect((await take(observer, ringQueue('default'))).content.toString()).toBe('ring');
  });

  it('declares everything again when the connection is back: the disk may have been wiped', async () => {
    const { connection } = await setup();
    await declareTopology(connection, ['default']);
    await vhost.remove();
    await eventually(() => expect(connection.state).toBe('connecting'));
    await manage('PUT', `/api/vhosts/${vhost.name}`);
    const { username } = new URL(vhost.amqpUrl);
    const everything = { configure: '.*', write: '.*', read: '.*' };
    await manage('PUT', `/api/permissions/${vhost.name}/${username}`, everything);
    await eventually(() => expect(connection.state).toBe('open'));
    expect((await list('queues')).map(({ name }) => name).sort()).toEqual(['jobs.dead', 'jobs.default']);
  });
});
