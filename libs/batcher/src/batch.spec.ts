import { describe, expect, it, jest } from '@jest/globals';
import { batch } from './batch.ts';
import { AwayError, settled } from './spec-batch.ts';

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

  it('gathers the calls of a busy time, keeps their order and gives each caller its own outcome', async () => {
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

  it('keeps a statement below its size, and sends a larger item alone', async () => {
    const { call, statement, statements } = setup(100, 4);
    const outcomes = Promise.all(['aa', 'bb', 'c', 'dddddd', 'e', 'fff'].map(call));
    for (const index of [0, 1, 2, 3]) (await statement(index)).succeed();
    expect(await outcomes).toEqual(['AA', 'BB', 'C', 'DDDDDD', 'E', 'FFF']);
    expect(statements.map(({ items }) => items)).toEqual([['aa', 'bb'], ['c'], ['dddddd'], ['e', 'fff']]);
  });

  it('gathers calls for gatherMs before a statement, over turns of the event loop', async () => {
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

  it('rejects all items at once while no statement works, and goes on with later ones', async () => {
    const { call, statement, statements } = setup();
    const outcomes = settled(['a', 'b'].map(call));
    (await statement(0)).fail(new AwayError());
    expect(await outcomes).toEqual(['away', 'away']);
    expect(statements).toHaveLength(1);

    const later = call('c');
    (await statement(1)).succeed();
    expect(await later).toBe('C');
  });

  it('rejects the callers that wait for the next statement too, rather than have each wait for its own timeout', async () => {
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
