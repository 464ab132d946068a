import { describe, expect, it } from '@jest/globals';
import { eventually, manage, take, takeAll } from '@offload/spec-kit';
import { TopologyMismatchError } from './errors.ts';
import { useVhost } from './spec-vhost.ts';
import type { Topology } from './topology.ts';

const vhost = useVhost();
const list = (what: string) => manage('GET', `/api/${what}/${vhost.name}`) as Promise<Record<string, unknown>[]>;
const queue = async (name: string) => (await list('queues')).find((each) => each['name'] === name);

async function declared(topology: Topology) {
  const { connection, ...told } = vhost.connect({ topology });
  await connection.opened;
  return { connection, ...told };
}

/** The vhost is gone with all in it and there again, as after a wiped disk. */
async function wipe() {
  await vhost.remove();
  await manage('PUT', `/api/vhosts/${vhost.name}`);
  const everything = { configure: '.*', write: '.*', read: '.*' };
  await manage('PUT', `/api/permissions/${vhost.name}/${new URL(vhost.url).username}`, everything);
}

describe('a topology', () => {
  it('declares durable exchanges and quorum queues with their bindings, limits and dead letters', async () => {
    await declared({
      exchanges: { news: { type: 'topic' }, gone: { type: 'fanout' } },
      queues: {
        all: { bindings: [{ exchange: 'news', routingKey: '#' }] },
        some: { type: 'classic', deadLetterExchange: 'gone', arguments: { 'x-max-length': 7 } },
        few: { deliveryLimit: 3, bindings: [{ exchange: 'gone' }, { exchange: 'news', routingKey: 'few.*' }] },
      },
    });
    const made = (await list('exchanges')).filter(({ name }) => /^(news|gone)$/.test(String(name)));
    expect(made.map(({ name, type, durable }) => [name, type, durable]).sort()).toEqual([
      ['gone', 'fanout', true],
      ['news', 'topic', true],
    ]);
    expect(await queue('all')).toMatchObject({ durable: true, arguments: { 'x-queue-type': 'quorum' } });
    expect(await queue('some')).toMatchObject({
      durable: true,
      arguments: { 'x-queue-type': 'classic', 'x-dead-letter-exchange': 'gone', 'x-max-length': 7 },
    });
    expect(await queue('few')).toMatchObject({ arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 3 } });
    const observer = await vhost.observer();
    observer.publish('news', 'few.people', Buffer.from('news'));
    expect((await take(observer, 'all')).content.toString()).toBe('news');
    expect((await take(observer, 'few')).content.toString()).toBe('news');
  });

  it('leaves what is there already as it is, whoever declares it how often', async () => {
    const topology = { queues: { inbox: {} } };
    await Promise.all([declared(topology), declared(topology)]);
    const observer = await vhost.observer();
    observer.sendToQueue('inbox', Buffer.from('kept'));
    await observer.waitForConfirms();
    await declared(topology);
    expect(await takeAll(observer, 'inbox')).toEqual(['kept']);
  });

  it('is declared again when the connection is back: the disk may have been wiped', async () => {
    const { becomes } = await declared({ exchanges: { to: { type: 'direct' } }, queues: { inbox: {} } });
    await wipe();
    await becomes('open');
    await eventually(async () => expect(await queue('inbox')).toBeDefined());
    expect((await list('exchanges')).map(({ name }) => name)).toContain('to');
  });

  it.each<[what: string, there: Topology, wanted: Topology, argument: string, values: RegExp]>([
    [
      'another type of queue',
      { queues: { inbox: { type: 'classic' } } },
      { queues: { inbox: {} } },
      'queue "inbox" in the vhost "VHOST" exists with another x-queue-type',
      /quorum.* current .*classic/,
    ],
    [
      'a name with a quote in it',
      { queues: { "it's": { type: 'classic' } } },
      { queues: { "it's": {} } },
      'queue "it\'s" in the vhost "VHOST" exists with another x-queue-type',
      /quorum.* current .*classic/,
    ],
    [
      'no delivery limit',
      { queues: { inbox: {} } },
      { queues: { inbox: { deliveryLimit: 5 } } },
      'queue "inbox" in the vhost "VHOST" exists with another x-delivery-limit',
      /'5'.* current is none/,
    ],
    [
      'other dead letters',
      { queues: { inbox: { deadLetterExchange: 'one' } } },
      { queues: { inbox: { deadLetterExchange: 'other' } } },
      'queue "inbox" in the vhost "VHOST" exists with another x-dead-letter-exchange',
      /'other'.* current .*'one'/,
    ],
    [
      'another type of exchange',
      { exchanges: { to: { type: 'direct' } } },
      { exchanges: { to: { type: 'fanout' } } },
      'exchange "to" in the vhost "VHOST" exists with another type',
      /'?fanout'?.* current .*'?direct'?/,
    ],
  ])('says which argument differs, and what to do, when there is %s', async (_what, there, wanted, words, values) => {
    await declared(there);
    const { connection, states } = vhost.connect({ topology: wanted });
    const error = (await connection.opened.catch((reason: unknown) => reason)) as Error;
    expect(error).toBeInstanceOf(TopologyMismatchError);
    expect(error).toMatchObject({ code: 'topology-mismatch', cause: { code: 406 } });
    expect(error.message).toContain(words.replace('VHOST', vhost.name));
    expect(error.message).toMatch(values);
    expect(error.message).toMatch(/Declare it as it is, or delete it/);
    expect(states.map(([state]) => state)).toEqual(['closed']);
  });

  it('that differs only after a reconnect is told and tried again: somebody may delete what is in the way', async () => {
    const { states, becomes } = await declared({ queues: { inbox: { deliveryLimit: 5 } } });
    const observer = await vhost.observer();
    await observer.deleteQueue('inbox');
    await observer.assertQueue('inbox', { arguments: { 'x-queue-type': 'quorum' } });
    const [{ name }] = (await eventually(async () => {
      const connections = (await manage('GET', `/api/vhosts/${vhost.name}/connections`)) as { name: string }[];
      expect(connections.length).toBeGreaterThan(1);
      return connections.filter((each) => JSON.stringify(each).includes(`node-${process.pid}`));
    })) as [{ name: string }];
    await manage('DELETE', `/api/connections/${encodeURIComponent(name)}`);
    await eventually(() => expect(states.at(-1)?.[1]).toMatch(/another x-delivery-limit/));
    await observer.deleteQueue('inbox');
    await becomes('open');
    expect(await queue('inbox')).toMatchObject({ arguments: { 'x-delivery-limit': 5 } });
  });
});

describe('a user who may not configure anything', () => {
  async function plainUser() {
    const user = `plain-${vhost.name}`;
    await manage('PUT', `/api/users/${user}`, { password: 'secret', tags: '' });
    vhost.closeAfterwards({ close: () => manage('DELETE', `/api/users/${user}`) });
    await manage('PUT', `/api/permissions/${vhost.name}/${user}`, { configure: '', write: '.*', read: '.*' });
    return Object.assign(new URL(vhost.url), { username: user, password: 'secret' }).href;
  }

  it('gets along with a topology that is there', async () => {
    const topology = { exchanges: { to: { type: 'direct' } }, queues: { inbox: {} } } satisfies Topology;
    await declared(topology);
    const { connection, states } = vhost.connect({ url: await plainUser(), topology });
    await connection.opened;
    expect(states).toEqual([['open', undefined]]);
  });

  it('waits for one that is not, and says what is missing', async () => {
    const topology = { queues: { inbox: {} } };
    const { connection, states } = vhost.connect({ url: await plainUser(), topology });
    await eventually(() => expect(states).toHaveLength(1));
    expect(states[0]).toEqual(['connecting', expect.stringMatching(/NOT_FOUND - no queue 'inbox'/)]);
    await declared(topology);
    await connection.opened;
  });
});
