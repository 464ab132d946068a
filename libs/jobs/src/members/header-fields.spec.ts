import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { answeredFields, headerFields } from './header-fields.ts';
import { httpRequest } from '../job-types/http.request.ts';

/** What is wrong with `fields`, each fault with the path to it. */
function faults(fields: unknown): string[] {
  const { error } = headerFields.safeParse(fields);
  return (error?.issues ?? []).map(({ path, message }) => [...path, message].join(': '));
}

describe('header fields', () => {
  it.each([
    [{ 'x a': '1', 'x-b': '2' }, ['x a: the name must be an HTTP token']],
    [{ '': '1' }, [': the name must be an HTTP token']],
    [{ 'x-a': 'line\r\nbreak: 1', 'x-b': 2 }, ['x-a: must not contain control characters', 'x-b: must be a string']],
    [{ 'x-a': '€' }, ['x-a: must not contain control characters']],
    [['x-a'], ['must be an object']],
    [null, ['must be an object']],
    ['x-a: 1', ['must be an object']],
    [{ 'x-a': 'y'.repeat(65_536) }, ['must have at most 65536 characters in all']],
    [{ ['x'.repeat(65_536)]: 'y' }, ['must have at most 65536 characters in all']],
  ])('%#: each fault is named', (fields, expected) => {
    expect(faults(fields)).toEqual(expected);
  });

  it('are counted before any of them is checked', () => {
    let looks = 0;
    const of = (count: number) =>
      Object.defineProperties(
        {},
        Object.fromEntries(
          Array.from({ length: count }, (_, n) => [`x-${n}`, { enumerable: true, get: () => `${(looks += 1)}` }]),
        ),
      );
    expect(faults(of(256))).toEqual([]);
    looks = 0;
    expect(faults(of(100_000))).toEqual(['must have at most 256 members']);
    expect(looks).toBe(0);
  });

  it.each(['__proto__', 'constructor', 'toString'])('may include one named %s, which stays an own member', (name) => {
    const json = JSON.stringify({ url: 'http://example.com/' }).replace('}', `,"headers":{"${name}":"a"}}`);
    const { headers } = httpRequest.payload.parse(JSON.parse(json));
    expect(Object.entries(headers)).toEqual([[name, 'a']]);
    expect(JSON.stringify(headers)).toBe(`{"${name}":"a"}`);
    expect(JSON.stringify(answeredFields.parse(headers))).toBe(`{"${name}":"a"}`);
  });

  it('have a JSON Schema', () => {
    expect(z.toJSONSchema(headerFields, { io: 'input' })).toMatchObject({ type: 'object', maxProperties: 256 });
  });
});

it('refuses fields of an answer that are not text', () => {
  expect(answeredFields.safeParse({ a: 1 }).success).toBe(false);
  expect(answeredFields.safeParse(undefined).success).toBe(false);
});
