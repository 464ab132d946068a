import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { createOneATurn } from './one-a-turn.ts';

/** What is done, and how many turns of the event loop have passed then. */
function setup() {
  const done: [what: string, turn: number][] = [];
  let turns = 0;
  let counting = true;
  const count = (): void => {
    turns += 1;
    if (counting) setImmediate(count);
  };
  setImmediate(count);
  return {
    done,
    oneATurn: createOneATurn(),
    note: (what: string) => void done.push([what, turns]),
    stop: () => (counting = false),
  };
}

it('does one thing in a turn, in order, also what is asked for meanwhile', async () => {
  const { done, oneATurn, note, stop } = setup();
  for (const what of ['a', 'b', 'c']) oneATurn(() => note(what));
  oneATurn(() => oneATurn(() => note('e')));
  oneATurn(() => note('d'));
  for (let turns = 0; turns < 10; turns += 1) await turn();
  stop();
  expect(done.map(([what]) => what)).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect(new Set(done.map(([, at]) => at)).size).toBe(5);
});

it('begins again once nothing has waited', async () => {
  const { done, oneATurn, note, stop } = setup();
  for (const what of ['a', 'b']) {
    oneATurn(() => note(what));
    for (let turns = 0; turns < 3; turns += 1) await turn();
  }
  stop();
  expect(done.map(([what]) => what)).toEqual(['a', 'b']);
});
