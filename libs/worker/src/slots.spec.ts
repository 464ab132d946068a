import { describe, expect, it } from '@jest/globals';
import { createSlots, type Slot } from './slots.ts';

const LONG_MS = 60_000;

async function taken(slots: ReturnType<typeof createSlots>): Promise<Slot> {
  const slot = await slots.take(LONG_MS, []);
  if (!slot) throw new Error('no slot');
  return slot;
}

it('are taken in the order of the calls, never more at once than the limit', async () => {
  const slots = createSlots(2);
  let running = 0;
  let most = 0;
  const order: number[] = [];
  await Promise.all(
    Array.from({ length: 20 }, async (_, at) => {
      const slot = await taken(slots);
      order.push(at);
      most = Math.max(most, (running += 1));
      await new Promise(setImmediate);
      running -= 1;
      slot.release();
    }),
  );
  expect(most).toBe(2);
  expect(order).toEqual(Array.from({ length: 20 }, (_, at) => at));
});

it('are freed once, also when released again', async () => {
  const slots = createSlots(1);
  const first = await taken(slots);
  first.release();
  first.release();
  await taken(slots);
  expect(await slots.take(0, [])).toBeNull();
});

describe('waiting for one', () => {
  it('ends when the time is over, and its place in the line goes with it', async () => {
    const slots = createSlots(1);
    const first = await taken(slots);
    expect(await slots.take(1, [])).toBeNull();
    first.release();
    await taken(slots);
  });

  it('ends as soon as a signal fires, or does not begin when it has fired', async () => {
    const slots = createSlots(1);
    const first = await taken(slots);
    const [lost, stopping] = [new AbortController(), new AbortController()];
    const waiting = slots.take(LONG_MS, [lost.signal, stopping.signal]);
    stopping.abort();
    expect(await waiting).toBeNull();
    first.release();
    expect(await slots.take(LONG_MS, [lost.signal, stopping.signal])).toBeNull();
    await taken(slots);
  });
});

describe('with something to prepare', () => {
  /** What is prepared is ready when the test says so. */
  function preparing() {
    const ready: (() => void)[] = [];
    let released = 0;
    const slots = createSlots(1, () => {
      return new Promise((resolve) => ready.push(() => resolve(() => void (released += 1))));
    });
    return { slots, ready, released: () => released };
  }

  it('are taken when it is ready, however long that takes, and release it', async () => {
    const { slots, ready, released } = preparing();
    const taking = slots.take(0, []);
    const afterTheTime = new Promise((resolve) => setTimeout(resolve, 1, 'waits')); // Node.js makes 1 ms of 0
    expect(await Promise.race([taking, afterTheTime])).toBe('waits');
    ready[0]?.();
    const slot = await taking;
    expect(released()).toBe(0);
    slot?.release();
    slot?.release();
    expect(released()).toBe(1);
  });

  it('are passed on when the waiting ended before it was ready', async () => {
    const { slots, ready, released } = preparing();
    const stopping = new AbortController();
    const given = slots.take(LONG_MS, [stopping.signal]);
    const next = slots.take(LONG_MS, []);
    stopping.abort();
    expect(await given).toBeNull();
    expect(ready).toHaveLength(1); // the place is not free before
    ready[0]?.();
    await new Promise(setImmediate);
    expect([released(), ready.length]).toEqual([1, 2]);
    ready[1]?.();
    expect(await next).not.toBeNull();
  });

  it('are taken without it where it fails: the run will say why', async () => {
    const slots = createSlots(1, () => Promise.reject(new Error('none')));
    (await taken(slots)).release();
    await taken(slots);
  });
});
