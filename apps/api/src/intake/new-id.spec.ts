import { expect, it, jest } from '@jest/globals';
import { validate, version } from 'uuid';
import { newId } from './new-id.ts';

it('makes UUIDs of version 7 that say when they were made', () => {
  const before = Date.now();
  const id = newId();
  expect(validate(id) && version(id)).toBe(7);
  const at = parseInt(id.replace('-', '').slice(0, 12), 16);
  expect(at).toBeGreaterThanOrEqual(before);
  expect(at).toBeLessThanOrEqual(Date.now());
});

it('makes greater ones each time, also within a millisecond and when the clock is put back', () => {
  const ids = Array.from({ length: 5_000 }, newId);
  const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.now() - 60_000);
  ids.push(...Array.from({ length: 1_000 }, newId));
  clock.mockRestore();
  ids.push(newId());
  expect(ids).toEqual([...new Set(ids)].sort());
});

it('does not use random bytes twice', () => {
  const ends = Array.from({ length: 5_000 }, () => newId().slice(-10));
  expect(new Set(ends).size).toBe(ends.length);
});
