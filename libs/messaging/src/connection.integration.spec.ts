import type { EventEmitter } from 'node:events';
import { describe, expect, it, jest } from '@jest/globals';
import { eventually, manage } from '@offload/spec-kit';
import { openProxy } from '@offload/spec-kit/servers';
import { connect, type Connection } from './connection.ts';
import { BrokerRefusedError } from './errors.ts';
import { createPublisher } from './publisher.ts';
import { channelOf, useVhost } from './spec-vhost.ts';

const vhost = useVhost();
const proxy = async () => vhost.closeAfterwards(await openProxy(vhost.url));
const names = (states: [string, string?][]) => states.map(([state]) => state);

describe('connect', () => {
  it('opens and closes, and emits each state once', async () => {
    const { connection, states } = vhost.connect();
    expect(connection.state).toBe('connecting');
    await connection.opened;
    expect(connection.state).toBe('open');
    await connection.close();
    await connection.close();
    expect(connection.state).toBe('closed');
    expect(names(states)).toEqual(['open', 'closed']);
  });

  it('knows the version of the broker once it is open', async () => {
    const { connection } = vhost.connect();
    expect(connection.brokerVersion).toBeUndefined();
    await connection.opened;
    const { rabbitmq_version } = (await manage('GET', '/api/overview')) as { rabbitmq_version: string };
    expect(connection.brokerVersion).toBe(rabbitmq_version);
  });

  it('shows its name on the broker', async () => {
    const { connection } = vhost.connect({ name: 'a spec' });
    await connection.opened;
    await eventually(async () => {
      const [shown] = (await manage('GET', `/api/vhosts/${vhost.name}/connections`)) as [Record<string, unknown>];
      expect(shown).toMatchObject({ client_properties: { connection_name: 'a spec' }, timeout: 10 });
    });
  });

  it.each(['http://127.0.0.1', '127.0.0.1:5672', '', 'amqp//:', 'amqp://127.0.0.1:99999'])(
    'takes no URL of another kind: %j',
    (url) => {
      expect(() => connect({ url })).toThrow(
        new TypeError('the URL of a broker must be a valid one that begins with amqp: or amqps:'),
      );
    },
  );

  it.each([
    [{ maxReconnectDelayMs: NaN }, /^maxReconnectDelayMs: /],
    [{ maxReconnectDelayMs: -1 }, /^maxReconnectDelayMs: /],
    [{ url: 'amqp://127.0.0.1?heartbeat=abc' }, /^heartbeat /],
  ])('rejects invalid options: %j', (options, message) => {
    expect(() => connect({ url: 'amqp://127.0.0.1', ...options })).toThrow(message);
  });

  it('rejects a password that is not percent-encoded, without showing it', () => {
    const wrong = new TypeError('user and password in the URL of a broker must be percent-encoded UTF-8');
    expect(() => connect({ url: 'amqp://user:100%@127.0.0.1' })).toThrow(wrong);
  });

  it.each([
    ['a wrong password', () => Object.assign(new URL(vhost.url), { password: 'wrong' }).href, /ACCESS_REFUSED/],
    ['an unknown user', () => Object.assign(new URL(vhost.url), { username: 'unknown' }).href, /ACCESS_REFUSED/],
    ['a vhost that does not exist', () => `${vhost.url}-not`, /refused the connection/],
  ])('fails at once with %s, and is closed', async (_what, url, reason) => {
    const { connection, states } = vhost.connect({ url: url() });
    const prepared = connection.keepChannel(async () => undefined);
    const error = await connection.opened.catch((refused: unknown) => refused);
    expect(error).toBeInstanceOf(BrokerRefusedError);
    expect(error).toMatchObject({ code: 'broker-refused', message: expect.stringMatching(reason) });
    await expect(prepared).rejects.toBe(error);
    await expect(connection.keepChannel(async () => undefined)).rejects.toBe(error);
    expect(names(states)).toEqual(['closed']);
  });

  it('decodes user and password from the URL, with any characters', async () => {
    const [user, password] = [`jürgen/${vhost.name}`, 'pä§$ wörd/%:@'];
    await manage('PUT', `/api/users/${encodeURIComponent(user)}`, { password, tags: '' });
    vhost.closeAfterwards({ close: () => manage('DELETE', `/api/users/${encodeURIComponent(user)}`) });
    const everything = { configure: '.*', write: '.*', read: '.*' };
    await manage('PUT', `/api/permissions/${vhost.name}/${encodeURIComponent(user)}`, everything);
    const { host, pathname } = new URL(vhost.url);
    const url = `amqp://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}${pathname}`;
    const { connection } = vhost.connect({ url });
    await connection.opened;
  });

  it('waits for a broker that is not up yet, and reports that once', async () => {
    const way = await proxy();
    await way.shut();
    const { connection, states } = vhost.connect({ url: way.url });
    const prepared = jest.fn(async () => undefined);
    const ready = connection.keepChannel(prepared);
    await eventually(() => expect(states).toEqual([['connecting', expect.stringContaining('ECONNREFUSED')]]));
    expect(prepared).not.toHaveBeenCalled();
    await way.open();
    await ready;
    await connection.opened;
    expect(names(states)).toEqual(['connecting', 'open']);
    expect(prepared).toHaveBeenCalledTimes(1);
  });

  it('reconnects after a cut, and sets its channels up again in their order', async () => {
    const way = await proxy();
    const { connection, states } = vhost.connect({ url: way.url });
    const order: number[] = [];
    const keep = (number: number) => connection.keepChannel(async () => void order.push(number));
    await Promise.all([keep(1), keep(2), keep(3)]);
    for (const round of [1, 2]) {
      way.cut();
      await eventually(() => expect(states).toHaveLength(1 + 2 * round));
    }
    expect(order).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3]);
    expect(names(states)).toEqual(['open', 'connecting', 'open', 'connecting', 'open']);
  });

  it('keeps no listeners of its earlier sockets', async () => {
    const way = await proxy();
    await way.shut();
    const emitWarning = jest.spyOn(process, 'emitWarning').mockReturnValue();
    const { connection } = vhost.connect({ url: way.url, maxReconnectDelayMs: 1 });
    const added = jest.spyOn(AbortSignal.prototype, 'addEventListener');
    const removed = jest.spyOn(AbortSignal.prototype, 'removeEventListener');
    await eventually(() => expect(added.mock.calls.length).toBeGreaterThan(20));
    expect(added.mock.calls.length - removed.mock.calls.length).toBeLessThan(3);
    await way.open();
    await connection.opened;
    expect(emitWarning.mock.calls).toEqual([]);
    jest.restoreAllMocks();
  });

  it('detects a half-open socket by its heartbeat, and reconnects', async () => {
    const way = await proxy();
    const { connection, states } = vhost.connect({ url: `${way.url}?heartbeat=1` });
    await connection.opened;
    way.hold();
    await eventually(() => expect(states[1]).toEqual(['connecting', expect.stringMatching(/heartbeat/i)]));
    await eventually(() => expect(names(states)).toEqual(['open', 'connecting', 'open']));
  });

  it('keeps reconnecting when its vhost is deleted: the vhost may come back', async () => {
    const { connection, states, becomes } = vhost.connect();
    await connection.opened;
    await vhost.remove();
    await eventually(() => expect(connection.state).toBe('connecting'));
    await manage('PUT', `/api/vhosts/${vhost.name}`);
    const everything = { configure: '.*', write: '.*', read: '.*' };
    await manage('PUT', `/api/permissions/${vhost.name}/${new URL(vhost.url).username}`, everything);
    await becomes('open');
    expect(names(states)).not.toContain('closed');
  });

  it('reports when the broker blocks and unblocks it', async () => {
    const { connection, states } = vhost.connect();
    const { latest } = await channelOf(connection);
    const broker = latest.connection as unknown as EventEmitter;
    broker.emit('blocked', 'low on memory'); // as on connection.blocked; a real alarm is in broker-faults
    expect([connection.state, states.at(-1)]).toEqual(['blocked', ['blocked', 'low on memory']]);
    await connection.keepChannel(async () => undefined); // a new channel does not change the state
    broker.emit('unblocked');
    expect(names(states)).toEqual(['open', 'blocked', 'open']);
  });
});

describe('an event of the connection without a listener', () => {
  async function warningsOf(act: (url: string) => Connection) {
    const emitWarning = jest.spyOn(process, 'emitWarning').mockReturnValue();
    const way = await proxy();
    way.shut();
    const connection = vhost.closeAfterwards(act(way.url));
    await eventually(() => expect(connection.reason).toMatch(/ECONNREFUSED/));
    const warnings = emitWarning.mock.calls.map(([warning]) => String(warning));
    emitWarning.mockRestore();
    return warnings;
  }

  it('becomes a warning of the process, also when a publisher follows the state', async () => {
    const warnings = await warningsOf((url) => {
      const connection = connect({ url });
      createPublisher(connection);
      return connection;
    });
    expect(warnings).toEqual([expect.stringMatching(/^no connection to the broker: .*ECONNREFUSED/)]);
  });

  it('is no warning when there is a listener', async () => {
    const warnings = await warningsOf((url) => {
      const connection = connect({ url });
      connection.events.on('state', () => undefined);
      return connection;
    });
    expect(warnings).toEqual([]);
  });
});
