import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { BrokerUnavailableError, PublishRefusedError } from './errors.ts';
import { createListPublisher, type ListPublisherOptions } from './list-publisher.ts';
import type { Publisher } from './publisher.ts';

const notes = { type: 'notes', version: 1, schema: z.array(z.string()) };

interface Sent {
  items: string[];
  routingKey: string | undefined;
  correlationId: string | undefined;
  confirm(): void;
  fail(error: Error): void;
}

/** A list publisher over a fake publisher whose confirms the test decides. */
function setup(options: Partial<ListPublisherOptions> = {}) {
  const sent: Sent[] = [];
  const publish = ((_kind, body, to) =>
    new Promise<void>((confirm, fail) => {
      const { routingKey, correlationId } = to as { routingKey?: string; correlationId?: string };
      const items = JSON.parse((body as unknown as { json: string }).json) as string[];
      sent.push({ items, routingKey, correlationId, confirm, fail });
    })) as Publisher['publish'];
  const lists = createListPublisher({ publish }, notes, { exchange: 'notes', ...options });
  const send = (item: string, routingKey = 'a', correlationId = item) =>
    lists.publish(item, { routingKey, correlationId });
  /** Waits for this many messages. */
  async function messages(count: number): Promise<Sent[]> {
    for (let turn = 0; turn < 100 && sent.length < count; turn += 1) await Promise.resolve();
    expect(sent).toHaveLength(count);
    return sent;
  }
  return { send, messages };
}

const shown = (sent: Sent[]) => sent.map(({ routingKey, items }) => [routingKey, items]);

describe('a list publisher', () => {
  it('sends an item that is alone at once, under its own correlation id', async () => {
    const { send, messages } = setup();
    const confirmed = send('x', 'a', 'about x');
    const [first] = (await messages(1)) as [Sent];
    expect(first).toMatchObject({ items: ['x'], routingKey: 'a', correlationId: 'about x' });
    first.confirm();
    await confirmed;
  });

  it('sends the items that come while a message is under way together, in one message per routing key', async () => {
    const { send, messages } = setup();
    const all = [send('first')];
    const [first] = (await messages(1)) as [Sent];
    all.push(send('x'), send('y', 'b'), send('z'));
    first.confirm();
    const [, ...later] = await messages(3);
    expect(shown(later)).toEqual([
      ['a', ['x', 'z']],
      ['b', ['y']],
    ]);
    expect(later[0]?.correlationId).toBeUndefined();
    for (const each of later) each.confirm();
    await Promise.all(all);
  });

  it('never lets an item overtake an earlier item with the same correlation id', async () => {
    const { send, messages } = setup();
    const all = [send('other ended', 'ended', '1'), send('started', 'started', '2'), send('ended', 'ended', '2')];
    const sent = await messages(3);
    expect(shown(sent)).toEqual([
      ['ended', ['other ended']],
      ['started', ['started']],
      ['ended', ['ended']],
    ]);
    for (const each of sent) each.confirm();
    await Promise.all(all);
  });

  it('keeps messages small: an item that does not fit begins a new message', async () => {
    const { send, messages } = setup({ maxLength: 24 });
    const all = ['1234567', '12345678', '1', 'x'.repeat(50)].map((item, index) => send(item, 'a', String(index)));
    const sent = await messages(3);
    expect(sent.map(({ items }) => items.map(({ length }) => length))).toEqual([[7, 8], [1], [50]]);
    for (const each of sent) each.confirm();
    await Promise.all(all);
  });

  it('sends each item of a refused message once more alone, and no item of other messages', async () => {
    const { send, messages } = setup();
    const outcomes = Promise.allSettled([send('good'), send('bad'), send('other', 'b')]);
    const [refused, fine] = (await messages(2)) as [Sent, Sent];
    refused.fail(new PublishRefusedError('nack'));
    fine.confirm();
    const [, , good, bad] = (await messages(4)) as [Sent, Sent, Sent, Sent];
    expect(shown([good, bad])).toEqual([
      ['a', ['good']],
      ['a', ['bad']],
    ]);
    good.confirm();
    bad.fail(new PublishRefusedError('nack'));
    expect((await outcomes).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('rejects the items of a lost message, and sends the waiting ones', async () => {
    const { send, messages } = setup({ maxItems: 1 });
    const outcomes = Promise.allSettled([send('x'), send('y')]);
    (await messages(1))[0]?.fail(new BrokerUnavailableError('away'));
    (await messages(2))[1]?.confirm();
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  });

  it('rejects items beyond its bounds of items and characters until some are confirmed', async () => {
    const few = setup({ maxPending: 2 });
    const taken = [few.send('x'), few.send('y')];
    await expect(few.send('z')).rejects.toThrow(BrokerUnavailableError);
    (await few.messages(1))[0]?.confirm();
    await Promise.all(taken);
    const later = few.send('z');
    (await few.messages(2))[1]?.confirm();
    await later;

    const short = setup({ maxPendingLength: 10 });
    const long = short.send('x'.repeat(50));
    await expect(short.send('y')).rejects.toThrow('not yet confirmed');
    (await short.messages(1))[0]?.confirm();
    await long;
  });

  it('rejects an item that is no JSON, and no other item', async () => {
    const { send, messages } = setup();
    const fine = send('x');
    await expect(send(undefined as unknown as string)).rejects.toThrow(TypeError);
    const [first] = (await messages(1)) as [Sent];
    first.confirm();
    await fine;
  });
});
