import { describe, expect, it } from '@jest/globals';
import { createSlots, type Slot } from './slots.ts';

const LONG_MS = 60_000;

async function taken(slots: ReturnType<typeof createSlots>): Promise<Slot> {
  const slot = await slots.take(LONG_MS, []);
  if (!slot) throw new Error('no slot');
  return slot;
}

it('are taken in the order of the calls, never more of them at once than there are', async () => {
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

it('are given back once, however often that is said', async () => {
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
