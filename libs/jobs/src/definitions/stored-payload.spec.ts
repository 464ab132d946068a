import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import { defineJob } from './job-definition.ts';
import { storedPayload, storingFault } from './stored-payload.ts';

/** A schema, with inputs that it accepts or refuses. */
interface Shape {
  schema: z.ZodType;
  inputs: unknown[];
}

const cents = (euros: number): number => euros * 100;
const instant = z.codec(z.iso.datetime(), z.date(), {
  decode: (text) => new Date(text),
  encode: (date) => date.toISOString(),
});

const simple: Shape[] = [
  { schema: z.string(), inputs: ['a', ''] },
  { schema: z.number().transform(cents), inputs: [5] },
  { schema: z.number().overwrite(cents), inputs: [5] },
  { schema: z.string().transform((text) => text.length), inputs: ['abc'] },
  { schema: z.string().pipe(z.coerce.number()).transform(cents), inputs: ['5', 'x'] },
  { schema: z.string().trim().toLowerCase(), inputs: [' A '] },
  { schema: z.coerce.number(), inputs: ['5', 5, null] },
  { schema: z.stringbool(), inputs: ['yes', 'no'] },
  { schema: instant, inputs: ['2026-11-30T08:00:00Z'] },
  { schema: z.number().catch(7), inputs: ['no number', 3] },
  { schema: z.number().default(3), inputs: [undefined, 4] },
  { schema: z.number().prefault(3).transform(cents), inputs: [undefined, 4] },
  { schema: z.string().trim().prefault(' x '), inputs: [undefined, ' y '] },
  { schema: z.enum(['a', 'b']).brand('letter').readonly(), inputs: ['a'] },
  { schema: z.json(), inputs: [{ a: [1, null] }, 'x'] },
];

/** Makes a shape from two. */
const made: ((one: Shape, other: Shape) => Shape)[] = [
  (one, other) => ({
    schema: z.object({ one: one.schema, other: other.schema }),
    inputs: members(one, other).flatMap((each) => [each, { ...each, more: 1 }]),
  }),
  (one, other) => ({
    schema: z.looseObject({ one: one.schema }).catchall(other.schema),
    inputs: members(one, other),
  }),
  (one, other) => ({
    schema: z.intersection(z.object({ one: one.schema }), z.object({ other: other.schema })),
    inputs: members(one, other),
  }),
  (one, other) => ({ schema: z.union([one.schema, other.schema]), inputs: [...one.inputs, ...other.inputs] }),
  (one, other) => ({
    schema: z.union([z.strictObject({ one: one.schema, b: z.number() }), z.object({ one: one.schema, b: z.number().default(1) }), other.schema]), // prettier-ignore
    inputs: [...one.inputs.map((each) => ({ one: each })), ...other.inputs],
  }),
  (one, other) => ({
    schema: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('a'), of: one.schema }),
      z.object({ kind: z.literal('b'), of: other.schema }),
    ]),
    inputs: [...one.inputs.map((of) => ({ kind: 'a', of })), ...other.inputs.map((of) => ({ kind: 'b', of }))],
  }),
  (one, other) => ({
    schema: z.tuple([one.schema, other.schema.optional()]).rest(one.schema),
    inputs: [...one.inputs.map((each) => [each]), [one.inputs[0], other.inputs[0], one.inputs[0]]],
  }),
  (one) => ({ schema: z.array(one.schema), inputs: [[], one.inputs] }),
  (one) => ({ schema: z.record(z.string().toUpperCase(), one.schema), inputs: [{}, { a: one.inputs[0] }] }),
  (one) => ({ schema: z.record(z.enum(['a', 'b']), one.schema), inputs: [{}, { a: one.inputs[0], b: one.inputs[0] }] }),
  (one) => ({ schema: one.schema.optional().nullable(), inputs: [null, undefined, ...one.inputs] }),
  (one) => ({ schema: z.exactOptional(one.schema), inputs: [undefined, ...one.inputs] }),
  (one) => ({ schema: one.schema.nonoptional(), inputs: one.inputs }),
  (one) => ({ schema: z.lazy(() => one.schema), inputs: one.inputs }),
  (one) => ({ schema: one.schema.readonly(), inputs: one.inputs }),
  (one) => ({ schema: one.schema.prefault(one.inputs[0] as never), inputs: [undefined, ...one.inputs] }),
  (one) => ({ schema: one.schema.transform((value) => ({ made: value })), inputs: one.inputs }),
];

function members(one: Shape, other: Shape): object[] {
  const pairs = one.inputs.flatMap((each) => other.inputs.map((two) => ({ one: each, other: two })));
  return pairs.slice(0, 6).map(asJson) as object[];
}

const asJson = (value: unknown): unknown => (value === undefined ? value : JSON.parse(JSON.stringify(value)));

const { shape } = fc.letrec<{ shape: Shape }>((tie) => ({
  shape: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom(...simple),
    fc.tuple(fc.constantFrom(...made), tie('shape'), tie('shape')).map(([make, one, other]) => make(one, other)),
  ),
}));

describe('a payload as it is stored', () => {
  it('has the same output as the payload, with any schema', () => {
    let checked = 0;
    fc.assert(
      fc.property(shape, ({ schema, inputs }) => {
        if (storingFault(schema) !== null) return;
        for (const input of inputs.map(asJson)) {
          const parsed = schema.safeParse(input);
          if (!parsed.success) continue;
          checked += 1;
          expect(schema.parse(asJson(storedPayload(schema, input)))).toEqual(parsed.data);
        }
      }),
      { numRuns: 200 },
    );
    expect(checked).toBeGreaterThan(100);
  });

  it('is the input with its missing defaults, at any depth', () => {
    const schema = z.object({
      euros: z.number().transform(cents),
      currency: z.string().toUpperCase().default('EUR'),
      to: z.object({ name: z.string().trim(), language: z.string().default('en') }),
      lines: z.array(z.union([z.string(), z.object({ count: z.int().default(1) })])).prefault(['one']),
      options: z.record(z.string(), z.object({ on: z.boolean().default(true) })).optional(),
    });
    const input = { euros: 5, to: { name: ' Ada ' }, options: { fast: {} } };
    expect(storedPayload(schema, input)).toEqual({
      ...{ euros: 5, currency: 'EUR', to: { name: ' Ada ', language: 'en' } },
      ...{ lines: ['one'], options: { fast: { on: true } } },
    });
    expect(input).toEqual({ euros: 5, to: { name: ' Ada ' }, options: { fast: {} } });
  });

  it('keeps a default that differs with each call', () => {
    let made = 0;
    const schema = z.object({ n: z.number().default(() => (made += 1)) });
    const stored = storedPayload(schema, {});
    expect([schema.parse(stored), schema.parse(stored)]).toEqual([stored, stored]);
  });

  it('is the same object where the schema has no defaults', () => {
    const input = { a: ['x'] };
    expect(storedPayload(z.object({ a: z.array(z.string().transform(Number)) }), input)).toBe(input);
    let deep: unknown = 1;
    for (let depth = 0; depth < 500; depth += 1) deep = [deep];
    expect(storedPayload(z.json(), deep)).toBe(deep);
  });
});

describe('a definition is refused', () => {
  const define = (payload: z.ZodType) => () =>
    defineJob({ type: 'spec.job', description: 'Can not be stored.', payload, result: z.unknown() });

  it.each([
    ['changes its input before it is checked', z.preprocess(Number, z.number())],
    [
      'changes a nested input before it is checked',
      z.object({ a: z.array(z.preprocess(Number, z.number())).optional() }),
    ],
    ['accepts a value that JSON does not have', z.object({ at: z.date() })],
    ['accepts a class instance', z.instanceof(URL)],
    ['accepts big integers', z.bigint()],
    ['has a default that is not a valid input', z.string().transform(Number).default(3)],
    ['has a default that changes when it is parsed', z.object({ a: z.string().trim().default(' x') })],
    ['has a default behind a transform', z.string().transform((text) => text || undefined).pipe(z.string().default('x'))], // prettier-ignore
    ['transforms asynchronously', z.string().transform(async (text) => text)],
    ['checks asynchronously', z.object({ a: z.string().refine(async () => true) })],
    ['accepts a promise', z.promise(z.string())],
  ])('whose payload %s', (_what, payload) => {
    expect(define(payload)).toThrow(/^spec\.job: its payload can't be stored: /);
  });

  it.each([
    ['a codec', z.object({ at: instant.optional() })],
    ['a transform', z.string().transform(Number)],
    ['a default that is an input', z.object({ a: z.string().trim().default('x'), b: z.array(z.int()).default([1]) })],
    ['a schema that contains itself', z.json()],
    ['anything', z.unknown()],
  ])('not when it has %s', (_what, payload) => {
    expect(define(payload)).not.toThrow();
  });
});
