import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import { boundedParse } from './bounded-parse.ts';

const MANY = 100_000;

/** A schema that counts its checks. */
function counted() {
  let checks = 0;
  const entry = z.number().refine((value) => {
    checks += 1;
    return value > 0;
  });
  return { entry, checks: () => checks };
}

const wrong = Array<number>(MANY).fill(0);
const members = (value: unknown, count = MANY) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`m${index}`, value]));

function recursive(entry: z.ZodType): z.ZodType {
  const tree: z.ZodType = z.strictObject({ value: entry.optional(), list: z.array(z.lazy(() => tree)).optional() });
  return tree;
}

describe('checks only the first of many wrong entries', () => {
  it.each<[what: string, schemaOf: (entry: z.ZodNumber) => z.ZodType, value: unknown]>([
    ['an array', (entry) => z.array(entry), wrong],
    ['an array with checks', (entry) => z.array(entry).min(1).max(MANY), wrong],
    ['a record', (entry) => z.record(z.string(), entry), members(0)],
    [
      'the names of a record',
      (entry) => z.record(z.string().regex(/^x/).pipe(z.coerce.number()).pipe(entry), z.any()),
      members(0),
    ],
    ['an optional member', (entry) => z.strictObject({ a: z.array(entry).optional() }), { a: wrong }],
    [
      'each option of a union',
      (entry) => z.union([z.array(entry), z.strictObject({ a: z.array(entry) })]),
      { a: wrong },
    ],
    ['a default', (entry) => z.strictObject({ a: z.array(entry).default([]) }), { a: wrong }],
    ['a pipe', (entry) => z.unknown().pipe(z.array(entry)), wrong],
    ['a transformation', (entry) => z.array(entry).transform((list) => list.length), wrong],
    ['a lazy schema', (entry) => z.lazy(() => z.array(entry)), wrong],
    ['a recursive schema', recursive, { list: Array(MANY).fill({ value: 0 }) }],
    [
      'an intersection',
      (entry) => z.intersection(z.object({ a: z.array(entry) }), z.object({ b: z.any() })),
      { a: wrong },
    ],
    ['arrays of arrays', (entry) => z.array(z.array(entry)), Array<number[]>(1_000).fill(Array<number>(100).fill(0))],
  ])('%s', (_what, schemaOf, value) => {
    const { entry, checks } = counted();
    const schema = schemaOf(entry);
    for (const most of [256, 512]) {
      const { success, error } = boundedParse(schema, value);
      expect([success, checks() <= most]).toEqual([false, true]);
      expect(error?.issues.length).toBeLessThanOrEqual(256);
    }
  });

  it('and no entry of an array that is too long', () => {
    const { entry, checks } = counted();
    const { error } = boundedParse(z.strictObject({ tags: z.array(entry).max(20, 'has too many') }), { tags: wrong });
    expect(error?.issues).toMatchObject([{ code: 'too_big', path: ['tags'], message: 'has too many' }]);
    expect(checks()).toBe(0);
  });
});

it('reports the place of the first faults, also far behind', () => {
  const list = [...Array<number>(1_000).fill(1), 'x', ...Array<number>(1_000).fill(1), 'y'];
  const schema = z.strictObject({
    list: z.array(z.number()),
    map: z.record(z.string(), z.strictObject({ n: z.number() })),
  });
  const map = { ...members({ n: 1 }, 100), late: { n: 'x' } };
  const { error } = boundedParse(schema, { list, map });
  expect(error?.issues.map(({ path }) => path)).toEqual([
    ['list', 1_000],
    ['map', 'late', 'n'],
  ]);
});

it('finds the faults that zod finds, and none where zod finds none', () => {
  const make = () =>
    z.strictObject({
      list: z.array(z.union([z.int(), z.array(z.int().min(2)).max(20)])).min(1),
      map: z.record(z.string().regex(/^[a-y]*$/), z.array(z.string().default('none'))).optional(),
      pair: z.tuple([z.int(), z.array(z.int())]).optional(),
      caught: z.array(z.int()).catch([]),
      codes: z.record(z.enum(['a', 'b']), z.int()).optional(),
    });
  const [plain, schema] = [make(), make()];
  const some = <Item>(item: fc.Arbitrary<Item>) => fc.array(item, { maxLength: 24, size: 'max' });
  const int = fc.oneof({ arbitrary: fc.integer({ min: 2, max: 9 }), weight: 60 }, fc.constantFrom(1, 'x'));
  const text = fc.oneof({ arbitrary: fc.constantFrom('a', 'bc', undefined), weight: 60 }, fc.constant(1));
  const name = fc.oneof(
    { arbitrary: fc.string({ unit: fc.constantFrom('a', 'b', 'c') }), weight: 60 },
    fc.constant('z'),
  );
  const value = fc.record(
    {
      list: some(fc.oneof(int, some(int))),
      map: fc.dictionary(name, some(text), { maxKeys: 24, size: 'max' }),
      pair: fc.tuple(int, some(int)),
      caught: some(int),
      codes: fc.dictionary(fc.constantFrom('a', 'b', 'c'), int),
    },
    { requiredKeys: ['list', 'caught'] },
  );
  fc.assert(
    fc.property(value, (given) => {
      const [all, first] = [plain.safeParse(given), boundedParse(schema, given)];
      expect([first.success, first.data]).toEqual([all.success, all.data]);
      const found = (each: typeof all) => (each.error?.issues ?? []).map(({ path }) => path.join('/'));
      // A union reports its own path, or a path within.
      const isFound = (path: string) => found(all).some((each) => each.startsWith(path) || path.startsWith(each));
      expect(found(first).filter((path) => !isFound(path))).toEqual([]);
    }),
    { numRuns: 100 },
  );
});
