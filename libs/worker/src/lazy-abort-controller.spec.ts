import { expect, it } from '@jest/globals';
import { LazyAbortController } from './lazy-abort-controller.ts';

const first = new Error('first');
const second = new Error('second');

it.each([
  ['before', (it: LazyAbortController) => [it.signal, it.abort(first)]],
  ['after', (it: LazyAbortController) => [it.abort(first), it.signal]],
])('has a signal that fires, asked for %s it is aborted', (_when, act) => {
  const controller = new LazyAbortController();
  act(controller);
  expect(controller.signal).toMatchObject({ aborted: true, reason: first });
});

it('has one signal, also when it is read again', () => {
  const controller = new LazyAbortController();
  expect(controller.signal).toBe(controller.signal);
  expect(controller.signal.aborted).toBe(false);
});

it('does not fire any more when it is over', () => {
  const controller = new LazyAbortController();
  const { signal } = controller;
  let told = 0;
  controller.onAbort = () => (told += 1);
  controller.over();
  controller.abort(first);
  expect([told, signal.aborted, controller.reason]).toEqual([0, false, undefined]);
});

it('keeps the first reason, and calls its listeners once', () => {
  const controller = new LazyAbortController();
  const told: Error[] = [];
  controller.onAbort = (reason) => void told.push(reason);
  expect(controller.reason).toBeUndefined();
  controller.abort(first);
  controller.abort(second);
  expect([controller.reason, controller.signal.reason]).toEqual([first, first]);
  expect(told).toEqual([first]);
});
