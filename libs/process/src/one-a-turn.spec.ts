import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { createOneATurn } from './one-a-turn.ts';

/** Records each piece of work with the number of event-loop turns before it. */
function setup() {
  const done: [what: string, turn: number][] = [];
  let turns = 0;
  let counting = true;
  const count = (): void => {
    turns += 1;
    if (counting) setImmediate(count);
  };
  setImmediate(count);
  const oneATurn = createOneATurn();
  const note = (what: string) => void done.push([what, turns]);
  return {
    done,
    oneATurn,
    note,
    next: async (what: string) => (await oneATurn.next(), note(what)),
    stop: () => (counting = false),
  };
}

it('runs one piece of work in a turn, in order, also work that is requested meanwhile', async () => {
  const { done, next, stop } = setup();
  const asked = ['a', 'b', 'c'].map(next);
  const late = next('d').then(() => next('f'));
  await Promise.all([...asked, late, next('e')]);
  stop();
  expect(done.map(([what]) => what)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  expect(new Set(done.map(([, at]) => at)).size).toBe(6);
});

it('runs the first at once, also after earlier turns', async () => {
  const { done, next, stop } = setup();
  for (const what of ['a', 'b']) {
    const before = done.length;
    void next(what);
    await Promise.resolve();
    await Promise.resolve();
    expect(done).toHaveLength(before + 1);
    for (let turns = 0; turns < 3; turns += 1) await turn();
  }
  stop();
});

it('shows that a turn is taken, until the turn is over', async () => {
  const { oneATurn, done, next, note, stop } = setup();
  expect(oneATurn.taken).toBeNull();
  oneATurn.take();
  note('large');
  const waiting = next('next');
  while (oneATurn.taken) await oneATurn.taken;
  note('small');
  await waiting;
  stop();
  const [large, following, small] = done;
  expect([large?.[0], following?.[0], small?.[0]]).toEqual(['large', 'next', 'small']);
  expect(new Set(done.map(([, at]) => at)).size).toBe(3);
});
