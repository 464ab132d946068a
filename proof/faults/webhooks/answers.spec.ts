import { expect, it } from '@jest/globals';
import { answerOf } from './answers.ts';

const lucky = () => 0.9;

it('fails in four of ten cases, for any receiver', () => {
  const drawn = Array.from({ length: 100 }, (_, n) => answerOf('gone', [], true, () => n / 100));
  const count = (answer: string) => drawn.filter((each) => each === answer).length;
  expect(['error', 'reset', 'hang', 'redirect', 'gone'].map(count)).toEqual([15, 15, 5, 5, 60]);
});

it('answers as its kind does otherwise', () => {
  expect(answerOf('hook', ['error'], false, lucky)).toBe('delivered');
  expect(answerOf('slow', ['error'], false, lucky)).toBe('slow down');
  expect(answerOf('slow', ['slow down', 'reset'], false, lucky)).toBe('delivered');
  expect([false, true].map((closed) => answerOf('shared', [], closed, lucky))).toEqual(['not there', 'gone']);
  expect([false, true].map((closed) => answerOf('closing', [], closed, lucky))).toEqual(['delivered', 'gone']);
});
