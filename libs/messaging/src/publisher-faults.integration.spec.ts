import { describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@offload/spec-kit';
import { BrokerUnavailableError, NotConfirmedError } from './errors.ts';
import { text } from './message.ts';
import { createPublisher } from './publisher.ts';
import { note, outcomes, publishersOn, topology } from './spec-publisher.ts';
import { useVhost } from './spec-vhost.ts';
import { whenWritten } from './write-together.ts';

const vhost = useVhost();
const setup = publishersOn(vhost);

describe('a signal', () => {
  it('that has fired before sends no message', async () => {
    const { publish, inbox, steps } = await setup();
    await expect(publish(1, { signal: AbortSignal.abort(new Error('changed my mind')) })).rejects.toThrow(
      'changed my mind',
    );
    expect([steps, await inbox()]).toEqual([[], []]);
  });

  it('gives up a message that waits for the connection', async () => {
    const { publish, inbox, way, becomes } = await setup();
    way.shut();
    way.cut();
    await becomes('connecting');
    const giveUp = new AbortController();
    const calls = [publish('given up', { signal: giveUp.signal }), publish('kept')];
    giveUp.abort(new Error('changed my mind'));
    await expect(calls[0]).rejects.toThrow('changed my mind');
    await way.open();
    await calls[1];
    expect(await inbox()).toEqual(['kept']);
  });

  it('can be shared by many messages without a leak warning of Node.js', async () => {
    const { publish, inbox } = await setup();
    const emitWarning = jest.spyOn(process, 'emitWarning').mockReturnValue();
    const { signal } = new AbortController();
    await Promise.all(Array.from({ length: 20 }, (_, n) => publish(n, { signal })));
    expect(emitWarning.mock.calls).toEqual([]);
    emitWarning.mockRestore();
    expect(await inbox()).toHaveLength(20);
  });

  it('ends the wait for a confirm; the message still arrives', async () => {
    const { publish, inbox, way, steps } = await setup();
    way.hold('answers');
    const giveUp = new AbortController();
    const call = publish(1, { signal: giveUp.signal });
    giveUp.abort(new Error('changed my mind'));
    await expect(call).rejects.toThrow('changed my mind');
    way.letGo('answers');
    await eventually(() => expect(steps).toEqual(['published to', 'confirmed to']));
    expect(await inbox()).toEqual([1]);
  });
});

describe('with maxUnconfirmed', () => {
  it('waits for confirms with each value of whileAway, and sends in order', async () => {
    const { publish, inbox, way, steps } = await setup({ maxUnconfirmed: 2, whileAway: 'fail' });
    way.hold('answers');
    const calls = [1, 2, 3, 4, 5].map((n) => publish(n));
    expect(steps).toEqual(['published to', 'published to']);
    way.letGo('answers');
    expect(await outcomes(calls)).toEqual(calls.map(() => undefined));
    expect(await inbox()).toEqual([1, 2, 3, 4, 5]);
  });

  it('counts timed-out messages until they are confirmed, and names them in the errors of waiting ones', async () => {
    const { publish, way, steps, inbox } = await setup({ maxUnconfirmed: 1, timeoutMs: 200 });
    way.hold('answers');
    expect(await outcomes([publish(1), publish(2)])).toEqual([
      'BrokerUnavailableError: not confirmed within 200 ms',
      'BrokerUnavailableError: not sent within 200 ms: 1 messages before it are not confirmed',
    ]);
    await expect(publish(3)).rejects.toBeInstanceOf(NotConfirmedError);
    expect(steps).toEqual(['published to']);
    way.letGo('answers');
    await eventually(() => publish(4));
    expect(await inbox()).toEqual([1, 4]);
  });

  it('does not wait for messages that were lost with their connection', async () => {
    const { publish, way, becomes, inbox } = await setup({ maxUnconfirmed: 1 });
    way.hold('answers');
    const lost = outcomes([publish(1)]);
    const next = publish(2);
    way.cut();
    expect(await lost).toEqual([expect.stringContaining('the channel was lost')]);
    way.letGo('answers');
    await becomes('open');
    await next;
    expect(await inbox()).toContain(2);
  });
});

describe('publish without a broker', () => {
  it('waits for the broker, and resolves then', async () => {
    const { publish, inbox, way, becomes } = await setup();
    way.shut();
    way.cut();
    await becomes('connecting');
    const calls = [publish(1), publish(2)];
    await way.open();
    expect(await outcomes(calls)).toEqual([undefined, undefined]);
    expect(await inbox()).toEqual([1, 2]);
  });

  it('waits no longer than its timeout, and never sends a timed-out message', async () => {
    const { publish, inbox, way, becomes } = await setup({ timeoutMs: 50 });
    way.shut();
    way.cut();
    await becomes('connecting');
    const late = /^BrokerUnavailableError: not sent within 50 ms: .*ECONN/;
    expect(await outcomes([publish(1)])).toEqual([expect.stringMatching(late)]);
    await way.open();
    await becomes('open');
    await eventually(() => publish(2));
    expect(await inbox()).toEqual([2]);
  });

  it("rejects at once with whileAway: 'fail'", async () => {
    const { publish, way, becomes, tell } = await setup({ whileAway: 'fail' });
    tell('blocked');
    await expect(publish(1)).rejects.toThrow(
      new BrokerUnavailableError('the broker accepts no messages: low on memory'),
    );
    tell('unblocked');
    await publish(2);
    way.shut();
    way.cut();
    await becomes('connecting');
    await expect(publish(3)).rejects.toThrow(/^not connected to the broker: /);
    const starting = createPublisher(vhost.connect({ topology }).connection, { whileAway: 'fail' });
    await expect(starting.publish(note, 4, { queue: 'inbox' })).rejects.toThrow('not connected to the broker');
  });

  it('rejects once the connection is closed, waiting messages included', async () => {
    const { publish, way, becomes, connection } = await setup();
    way.shut();
    way.cut();
    await becomes('connecting');
    const waiting = outcomes([publish(1)]);
    await connection.close();
    const closed = 'BrokerUnavailableError: the connection is closed';
    expect(await waiting).toEqual([closed]);
    expect(await outcomes([publish(2)])).toEqual([closed]);
  });

  it('rejects with the reason when the broker refuses the connection', async () => {
    const url = Object.assign(new URL(vhost.url), { password: 'wrong' }).href;
    const publisher = createPublisher(vhost.connect({ url }).connection);
    await expect(publisher.publish(text, 'hello', { queue: 'inbox' })).rejects.toThrow(/ACCESS_REFUSED/);
  });

  it('keeps messages in their order while the broker blocks the connection', async () => {
    const { publish, tell, inbox, steps } = await setup();
    tell('blocked');
    const calls = [publish(1), publish(2)];
    expect(steps).toEqual([]);
    tell('unblocked');
    await Promise.all([...calls, publish(3)]);
    expect(await inbox()).toEqual([1, 2, 3]);
  });

  it('reads a confirm that came while the process was suspended for longer than the timeout', async () => {
    const { connection, becomes } = vhost.connect({ topology }); // a proxy in this process would stop, too
    const publisher = createPublisher(connection, { timeoutMs: 100 });
    await becomes('open');
    await publisher.publish(note, 1, { queue: 'inbox' });
    const call = publisher.publish(note, 2, { queue: 'inbox' });
    await whenWritten();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500); // frozen, as by SIGSTOP
    await call;
  });

  it('does not say that a blocked broker confirms nothing', async () => {
    const { publish, tell, way } = await setup({ timeoutMs: 200 });
    way.hold('answers');
    const call = publish(1).catch((error: unknown) => error);
    tell('blocked');
    const error = await call;
    expect(error).toEqual(new BrokerUnavailableError('not confirmed within 200 ms: low on memory'));
    expect(error).not.toBeInstanceOf(NotConfirmedError);
    way.letGo('answers');
  });

  it('rejects messages in flight when the channel is lost, and works again by itself', async () => {
    const { publish, way, inbox, becomes, steps } = await setup();
    way.hold('answers');
    const inFlight = [publish('a'), publish('b', { to: 'nowhere' })];
    way.cut();
    const lost = 'BrokerUnavailableError: the channel was lost before the confirm came';
    expect(await outcomes(inFlight)).toEqual([lost, lost]);
    expect(steps).toEqual(['published to', 'published to', 'unconfirmed to', 'unconfirmed to']);
    await becomes('open');
    await publish('again');
    expect((await inbox()).at(-1)).toBe('again');
  });

  it('neither loses nor invents a confirm when its connection is cut repeatedly during 2,000 publishes', async () => {
    const { publish, way, inbox, steps, states } = await setup({ timeoutMs: 20_000 });
    const confirmed: number[] = [];
    const failed: string[] = [];
    for (let round = 0; round < 10; round += 1) {
      let untilCut = 50;
      const calls = Array.from({ length: 200 }, (_, n) =>
        publish(round * 200 + n).then(
          () => {
            confirmed.push(round * 200 + n);
            if ((untilCut -= 1) === 0) way.cut();
          },
          (error: Error) => void failed.push(error.message),
        ),
      );
      await Promise.all(calls);
      expect(untilCut).toBeLessThanOrEqual(0);
      await eventually(() => expect(states.filter(([state]) => state === 'open')).toHaveLength(round + 2)); // the connection was cut and is open again
    }
    expect(confirmed.length + failed.length).toBe(2_000);
    expect(failed.filter((message) => message !== 'the channel was lost before the confirm came')).toEqual([]);
    const there = (await inbox()) as number[];
    const arrived = new Set(there);
    expect(confirmed.filter((n) => !arrived.has(n))).toEqual([]);
    expect(there).toHaveLength(arrived.size); // no message arrived twice
    const count = (step: string) => steps.filter((each) => each === `${step} to`).length;
    expect([count('confirmed'), count('unconfirmed')]).toEqual([confirmed.length, failed.length]);
  });

  it('rejects messages in flight when an exchange is missing, and works again by itself', async () => {
    const { publisher, publish, inbox, losses } = await setup();
    const toNowhere = publisher.publish(note, 1, { exchange: 'missing' });
    await expect(toNowhere).rejects.toMatchObject({
      code: 'broker-unavailable',
      message: expect.stringMatching(
        /^the channel was lost before the confirm came: .*NOT_FOUND - no exchange 'missing'/,
      ),
    });
    expect(losses).toEqual([expect.stringContaining("NOT_FOUND - no exchange 'missing'")]);
    await publish('again');
    expect(await inbox()).toEqual(['again']);
  });

  it('rejects when no confirm comes in time, yet counts the message until then, so memory stays bounded', async () => {
    const { publish, way, inbox } = await setup({ timeoutMs: 50, maxPending: 2 });
    way.hold('answers');
    const late = 'BrokerUnavailableError: not confirmed within 50 ms';
    const full = 'BrokerUnavailableError: 2 messages are not yet confirmed';
    expect(await outcomes([publish(1), publish(2), publish(3)])).toEqual([late, late, full]);
    expect(await outcomes([publish(4)])).toEqual([full]);
    way.letGo('answers');
    await eventually(() => publish(5));
    const received = await inbox();
    expect(received.slice(0, 2)).toEqual([1, 2]);
    expect(received.at(-1)).toBe(5);
  });

  it('bounds pending messages by their bytes too, and accepts a single large message', async () => {
    const { publish, way, inbox } = await setup({ maxPendingBytes: 100 });
    const large = 'x'.repeat(1_000);
    await publish(large);
    way.hold('answers');
    const first = publish('x'.repeat(90));
    expect(await outcomes([publish('y'.repeat(90))])).toEqual([
      'BrokerUnavailableError: 92 bytes are not yet confirmed, 92 more are above the limit',
    ]);
    way.letGo('answers');
    await first;
    expect(await inbox()).toEqual([large, 'x'.repeat(90)]);
  });
});
