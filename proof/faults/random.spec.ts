import { expect, it } from '@jest/globals';
import { between, oneOf, seededRandom } from './random.ts';

const draw = (seed: number, purpose: string) => Array.from({ length: 5 }, seededRandom(seed, purpose));

it('repeats itself for a seed and a purpose, and differs for others', () => {
  expect(draw(1, 'one')).toEqual(draw(1, 'one'));
  expect(draw(1, 'one')).not.toEqual(draw(2, 'one'));
  expect(draw(1, 'one')).not.toEqual(draw(1, 'other'));
});

it('chooses evenly enough', () => {
  const random = seededRandom(7, 'even');
  const counts = { a: 0, b: 0, c: 0 };
  for (let count = 0; count < 3_000; count += 1) counts[oneOf(random, ['a', 'b', 'c'] as const)] += 1;
  for (const count of Object.values(counts)) expect(Math.abs(count - 1_000)).toBeLessThan(150);
  expect(between(random, 5, 6)).toBeGreaterThanOrEqual(5);
  expect(() => oneOf(random, [])).toThrow('nothing to choose from');
});
