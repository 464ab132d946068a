import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { connect, type Topology } from '@offload/messaging';
import { eventually, freshVhost, manage, take, takeAll, type FreshVhost } from '@offload/spec-kit';
import amqp from 'amqplib';
import { exchanges, jobTopology, dispatchQueue } from './topology.ts';

const opened: { close(): Promise<unknown> }[] = [];
let vhost: FreshVhost;
beforeEach(async () => void (vhost = await freshVhost()));
afterEach(async () => {
  await Promise.allSettled(opened.splice(0).map((each) => each.close()));
  await vhost.remove();
});

const list = (what: string) => manage('GET', `/api/${what}/${vhost.name}`) as Promise<Record<string, unknown>[]>;
const queue = async (name: string) => (await list('queues')).find((each) => each['name'] === name);

async function declared(topology: Topology) {
  const connection = connect({ url: vhost.amqpUrl, topology });
  opened.push(connection);
  await connection.opened;
}

/** Another AMQP client, that sends and looks. */
async function observing() {
  const client = await amqp.connect(vhost.amqpUrl);
  opened.push(client);
  return client.createConfirmChannel();
}

describe('jobTopology', () => {
  it('names what the architecture names', async () => {
    await declared(jobTopology(['default', 'reports']));
    const made = (await list('exchanges')).filter(({ name }) => /^jobs/.test(String(name)));
    expect(made.map(({ name, type, durable }) => [name, type, durable]).sort()).toEqual([
      ['jobs', 'direct', true],
      ['jobs.control', 'fanout', true],
      ['jobs.dead', 'fanout', true],
      ['jobs.events', 'fanout', true],
      ['jobs.events.by-name', 'direct', true],
      ['jobs.registrations', 'fanout', true],
    ]);
    expect((await list('queues')).map(({ name }) => name).sort()).toEqual([
      'jobs.dead',
      'jobs.default',
      'jobs.reports',
    ]);
    expect(await queue(dispatchQueue('default'))).toMatchObject({
      arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 500, 'x-dead-letter-exchange': 'jobs.dead' },
    });
    expect(await queue(exchanges.dead)).toMatchObject({
      arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 1_000_000 },
    });
  });

  it('has each event heard as one of all, and by its name', async () => {
    await declared(jobTopology([]));
    const observer = await observing();
    const listening = async (exchange: string, key: string): Promise<string> => {
      const { queue: own } = await observer.assertQueue('', { exclusive: true });
      await observer.bindQueue(own, exchange, key);
      return own;
    };
    const all = await listening(exchanges.events, '');
    const ends = await listening(exchanges.eventsByName, 'job.succeeded');
    for (const name of ['job.running', 'job.succeeded']) observer.publish(exchanges.events, name, Buffer.from(name));
    await observer.waitForConfirms();
    expect(await takeAll(observer, all)).toEqual(['job.running', 'job.succeeded']);
    expect(await takeAll(observer, ends)).toEqual(['job.succeeded']);
  });

  it('routes each dispatch message to its queue, and what a consumer refuses to the dead letters', async () => {
    await declared(jobTopology(['default', 'reports']));
    const observer = await observing();
    observer.publish(exchanges.jobs, 'reports', Buffer.from('dispatch'));
    const dispatch = await eventually(async () => {
      const message = await observer.get(dispatchQueue('reports'));
      if (!message) throw new Error('not there yet');
      return message;
    });
    observer.reject(dispatch, false);
    expect((await take(observer, exchanges.dead)).content.toString()).toBe('dispatch');
    expect(await takeAll(observer, dispatchQueue('default'))).toEqual([]);
    expect(await takeAll(observer, dispatchQueue('reports'))).toEqual([]);
  });
});
