import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { batch } from './batch.ts';

class AwayError extends Error {
  constructor() {
    super('away');
  }
}

class HeldUpError extends AwayError {}

/** A batch whose statements end when the test says so. */
function setup(maxItems?: number, maxSize?: number) {
  const statements: { items: string[]; succeed(): void; fail(error: Error): void }[] = [];
  const run = (items: string[]): Promise<string[]> =>
    new Promise((resolve, reject) => {
      const succeed = (): void => resolve(items.map((item) => item.toUpperCase()));
      statements.push({ items, succeed, fail: reject });
    });
  const call = batch(run, {
    ...(maxItems && { maxItems }),
    ...(maxSize && { maxSize, sizeOf: (item: string) => item.length }),
    isAway: (error) => error instanceof AwayError,
  });
  /** The statement at this place, once it has gone out. */
  const statement = async (index: number) => {
    for (let turn = 0; turn < 50 && statements.length <= index; turn += 1) await Promise.resolve();
    const found = statements[index];
    if (!found) throw new Error(`there is no statement ${index}`);
    return found;
  };
  return { call, statement, statements };
}

const settled = (calls: Promise<string>[]): Promise<string[]> =>
  Promise.all(calls.map((call) => call.catch((error: Error) => error.message)));

describe('batch', () => {
  it('sends the first call at once, without a timer', async () => {
    const { call, statement } = setup();
    const outcome = call('a');
    const first = await statement(0);
    expect(first.items).toEqual(['a']);
    first.succeed();
    expect(await outcome).toBe('A');
  });

  it('shares one statement between calls of one turn', async () => {
    const { call, statement, statements } = setup();
    const outcomes = Promise.all([call('a'), call('b')]);
    (await statement(0)).succeed();
    expect(await outcomes).toEqual(['A', 'B']);
    expect(statements.map(({ items }) => items)).toEqual([['a', 'b']]);
  });

  it('gathers what comes while it is busy, keeps its order and gives each caller its own outcome', async () => {
    const { call, statement, statements } = setup();
    const first = call('a');
    const opening = await statement(0);
    const gathered = Promise.all(['d', 'b', 'c', 'b'].map(call));
    expect(statements).toHaveLength(1);
    opening.succeed();
    const second = await statement(1);
    expect(second.items).toEqual(['d', 'b', 'c', 'b']);
    second.succeed();
    expect([await first, await gathered]).toEqual(['A', ['D', 'B', 'C', 'B']]);
  });

  it('never puts more items into a statement than it may', async () => {
    const { call, statement, statements } = setup(2);
    const outcomes = Promise.all(['a', 'b', 'c', 'd', 'e'].map(call));
    for (const index of [0, 1, 2]) (await statement(index)).succeed();
    expect(await outcomes).toEqual(['A', 'B', 'C', 'D', 'E']);
    expect(statements.map(({ items }) => items)).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
  });

  it('never puts more together than may be, and what is larger alone', async () => {
    const { call, statement, statements } = setup(100, 4);
    const outcomes = Promise.all(['aa', 'bb', 'c', 'dddddd', 'e', 'fff'].map(call));
    for (const index of [0, 1, 2, 3]) (await statement(index)).succeed();
    expect(await outcomes).toEqual(['AA', 'BB', 'C', 'DDDDDD', 'E', 'FFF']);
    expect(statements.map(({ items }) => items)).toEqual([['aa', 'bb'], ['c'], ['dddddd'], ['e', 'fff']]);
  });

  it('gathers what nobody waits for before it goes out, over turns of the event loop', async () => {
    const statements: string[][] = [];
    const call = batch(
      (items: string[]) => {
        statements.push(items);
        return Promise.resolve(items);
      },
      { gatherMs: 50, isAway: () => false },
    );
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] });
    try {
      const early = call('a');
      await jest.advanceTimersByTimeAsync(49);
      const late = call('b');
      expect(statements).toEqual([]);
      await jest.advanceTimersByTimeAsync(1);
      expect(await Promise.all([early, late])).toEqual(['a', 'b']);
    } finally {
      jest.useRealTimers();
    }
    expect(statements).toEqual([['a', 'b']]);
    expect(await call('c')).toBe('c');
  });

  it('is idle again after each round', async () => {
    const { call, statement } = setup();
    for (const round of [0, 1, 2]) {
      const outcome = call('a');
      (await statement(round)).succeed();
      expect(await outcome).toBe('A');
    }
  });

  it('tries each item alone when a shared statement fails, so that the bad one fails by itself', async () => {
    const { call, statement, statements } = setup();
    const outcomes = settled(['good', 'bad', 'fine'].map(call));
    (await statement(0)).fail(new Error('one of you is bad'));
    (await statement(1)).succeed();
    (await statement(2)).fail(new Error('you are bad'));
    (await statement(3)).succeed();
    expect(await outcomes).toEqual(['GOOD', 'you are bad', 'FINE']);
    expect(statements.map(({ items }) => items)).toEqual([['good', 'bad', 'fine'], ['good'], ['bad'], ['fine']]);
  });

  it('rejects all at once while nothing works, and goes on with what comes after', async () => {
    const { call, statement, statements } = setup();
    const outcomes = settled(['a', 'b'].map(call));
    (await statement(0)).fail(new AwayError());
    expect(await outcomes).toEqual(['away', 'away']);
    expect(statements).toHaveLength(1);

    const later = call('c');
    (await statement(1)).succeed();
    expect(await later).toBe('C');
  });

  it('tells those who wait for the next statement too, rather than have each wait for a timeout of its own', async () => {
    const { call, statement, statements } = setup(1);
    const outcomes = settled(['a', 'b', 'c'].map(call));
    (await statement(0)).fail(new AwayError());
    expect(new Set(await outcomes)).toEqual(new Set(['away']));
    expect(statements).toHaveLength(1);
  });

  it('lets items that a statement has left out go first in the next one', async () => {
    const statements: string[][] = [];
    const call = batch(
      (items: string[]) => {
        statements.push(items);
        if (statements.length === 1) outcomes.push(call('f')); // comes while the first is under way
        return Promise.resolve(items.slice(0, 2).map((item) => item.toUpperCase()));
      },
      { isAway: () => false },
    );
    const outcomes = ['a', 'b', 'c', 'd', 'e'].map(call);
    await Promise.all(outcomes);
    expect(await Promise.all(outcomes)).toEqual(['A', 'B', 'C', 'D', 'E', 'F']);
    expect(statements.map((items) => items.join(''))).toEqual(['abcde', 'cdef', 'ef']);
  });

  it('stops trying items alone when nothing works any more', async () => {
    const { call, statement, statements } = setup();
    const outcomes = settled(['a', 'b', 'c', 'd'].map(call));
    (await statement(0)).fail(new Error('one of you is bad'));
    (await statement(1)).succeed();
    (await statement(2)).fail(new AwayError());
    const away = 'away';
    expect(await outcomes).toEqual(['A', away, away, away]);
    expect(statements.map(({ items }) => items)).toEqual([['a', 'b', 'c', 'd'], ['a'], ['b']]);
  });
});

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

  it('sends the next beside it, one after the other again', async () => {
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

  it('sends what comes later beside it at once', async () => {
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

  it('tries those alone that were held up together while others worked', async () => {
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

  it('sends an item alone that was held up before, and keeps nobody else waiting for it', async () => {
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

  it('tries those that wait behind as many as may be slow, although nothing has worked since these began', async () => {
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

  it('tells it alone when others have worked since', async () => {
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
