import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { batch } from './batch.ts';
import { AwayError, HeldUpError, settled } from './spec-batch.ts';

/** A batch of objects whose statements are slow after so many milliseconds of faked time. */
function slowSetup() {
  const statements: { names: string[]; succeed(): void; fail(error: Error): void }[] = [];
  const call = batch(
    (items: { name: string }[]) =>
      new Promise<string[]>((resolve, reject) => {
        const names = items.map(({ name }) => name);
        statements.push({ names, succeed: () => resolve(names), fail: reject });
      }),
    {
      slowMs: 100,
      isAway: (error) => error instanceof AwayError,
      isHeldUp: (error) => error instanceof HeldUpError,
    },
  );
  const sent = () => statements.map(({ names }) => names.join(''));
  const at = (index: number) => statements[index] as (typeof statements)[0];
  return { call: (name: string) => call({ name }), callWith: call, sent, at };
}

describe('batch, when a statement is slow', () => {
  beforeEach(() => void jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] }));
  afterEach(() => void jest.useRealTimers());
  const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);

  it('sends the next calls beside it, one statement at a time', async () => {
    const { call, sent, at } = slowSetup();
    const slow = call('a');
    await pass(50);
    const next = [call('b'), call('c')];
    await pass(49);
    expect(sent()).toEqual(['a']);
    await pass(1);
    expect(sent()).toEqual(['a', 'bc']);
    const last = call('d');
    await pass(1);
    expect(sent()).toEqual(['a', 'bc']);
    at(1).succeed();
    expect(await Promise.all(next)).toEqual(['b', 'c']);
    await pass(0);
    expect(sent()).toEqual(['a', 'bc', 'd']);
    at(2).succeed();
    at(0).succeed();
    expect(await Promise.all([slow, last])).toEqual(['a', 'd']);
  });

  it('sends a later call beside it at once', async () => {
    const { call, sent, at } = slowSetup();
    const slow = call('a');
    await pass(100);
    const later = call('b');
    await pass(0);
    expect(sent()).toEqual(['a', 'b']);
    at(1).succeed();
    at(0).succeed();
    expect(await Promise.all([slow, later])).toEqual(['a', 'b']);
  });

  it('has no more than three at once, and goes on when one of them has ended', async () => {
    const { call, sent, at } = slowSetup();
    const outcomes: Promise<string>[] = [];
    for (const name of ['a', 'b', 'c', 'd']) {
      outcomes.push(call(name));
      await pass(100);
    }
    await pass(1_000);
    expect(sent()).toEqual(['a', 'b', 'c']);
    at(0).succeed();
    await pass(100);
    expect(sent()).toEqual(['a', 'b', 'c', 'd']);
    for (const index of [1, 2, 3]) at(index).succeed();
    expect(await Promise.all(outcomes)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('tries each item alone after its statement was held up while others worked', async () => {
    const { call, sent, at } = slowSetup();
    const together = settled(['a', 'b'].map(call));
    await pass(100);
    const other = call('c');
    await pass(0);
    at(1).succeed();
    await other;
    at(0).fail(new HeldUpError());
    await pass(0);
    expect(sent()).toEqual(['ab', 'c', 'a']);
    await pass(100);
    expect(sent()).toEqual(['ab', 'c', 'a', 'b']);
    at(3).succeed();
    at(2).fail(new HeldUpError());
    expect(await together).toEqual(['away', 'b']);
  });

  it('sends an item that was held up before in a statement of its own, and other items beside it', async () => {
    const { call, callWith, sent, at } = slowSetup();
    const item = { name: 'a' };
    const first = settled([callWith(item)]);
    await pass(0);
    at(0).fail(new HeldUpError());
    expect(await first).toEqual(['away']);
    const both = [callWith(item), call('b')];
    await pass(0);
    expect(sent()).toEqual(['a', 'a', 'b']);
    at(1).succeed();
    at(2).succeed();
    expect(await Promise.all(both)).toEqual(['a', 'b']);
  });

  it('tries the items that wait behind three slow statements, although no statement has worked since those began', async () => {
    const { call, sent, at } = slowSetup();
    const slow = settled(
      await ['a', 'b', 'c'].reduce<Promise<Promise<string>[]>>(async (before, name) => {
        const calls = [...(await before), call(name)];
        await pass(100);
        return calls;
      }, Promise.resolve([])),
    );
    const behind = call('d');
    await pass(100);
    at(0).fail(new HeldUpError());
    await pass(100);
    expect(sent()).toEqual(['a', 'b', 'c', 'd']);
    at(3).succeed();
    expect(await behind).toBe('d');
    for (const index of [1, 2]) at(index).fail(new HeldUpError());
    expect(await slow).toEqual(['away', 'away', 'away']);
  });

  it('rejects only the held-up item when other statements have worked since', async () => {
    const { call, sent, at } = slowSetup();
    const slow = settled(['a'].map(call));
    await pass(100);
    const beside = call('b');
    await pass(0);
    const behind = call('c');
    at(1).succeed();
    await beside;
    at(0).fail(new HeldUpError());
    expect(await slow).toEqual(['away']);
    await pass(0);
    expect(sent()).toEqual(['a', 'b', 'c']);
    at(2).succeed();
    expect(await behind).toBe('c');
  });
});
