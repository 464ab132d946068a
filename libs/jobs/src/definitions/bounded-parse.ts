import { z } from 'zod';

/** Number of array or record entries that are checked together: nested arrays have at most 16 × 16 faults. */
const SLICE = 16;

type Parse = z.core.$ZodType['_zod']['parse'];

/** The schemas that are changed already. */
const bounded = new WeakSet<z.core.$ZodType>();

/**
 * Parses a value that may be hostile, like `schema.safeParse(value)`. It checks the entries of an array or record in
 * order, a few at a time, and stops after the first faults. It refuses an array that is too long without checking its
 * items. Otherwise a megabyte of wrong items takes seconds.
 *
 * This changes how zod's own schemas parse, because zod has no option for it. Its checks run after all items are
 * parsed, also with `abort` or `when`. Its `validate` stops early, but reports no places and ignores refinements. A
 * test compares the outcome with zod's own for random values.
 *
 * @returns the result of `safeParse`; it never throws
 */
export function boundedParse<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
): z.ZodSafeParseResult<z.output<Schema>> {
  bound(schema);
  return schema.safeParse(value);
}

/** Changes how the schema and each schema within it check arrays and records. */
function bound(schema: z.core.$ZodType): void {
  if (bounded.has(schema)) return;
  bounded.add(schema);
  const parts = schema instanceof z.core.$ZodLazy ? [schema._zod.innerType] : schemasIn(schema._zod.def);
  for (const part of parts) bound(part);
  if (schema instanceof z.core.$ZodArray) replaceParse(schema, parseArray);
  // Of a record whose names are listed, zod looks at no others, and each of those must be there.
  else if (schema instanceof z.core.$ZodRecord && !schema._zod.def.keyType._zod.values)
    replaceParse(schema, parseRecord);
}

/** All schemas within a part of a definition, under any member name. */
function* schemasIn(part: unknown, depth = 0): Generator<z.core.$ZodType> {
  if (typeof part !== 'object' || part === null || depth > 2) return;
  if (part instanceof z.core.$ZodType) return yield part;
  for (const each of Object.values(part)) yield* schemasIn(each, depth + 1);
}

function replaceParse<Schema extends z.core.$ZodType>(
  schema: Schema,
  parse: (schema: Schema, original: Parse, ...given: Parameters<Parse>) => ReturnType<Parse>,
): void {
  const { _zod } = schema;
  let original = _zod.parse;
  const isWithoutChecks = _zod.run === original;
  const replacement: Parse = (payload, context) => parse(schema, original, payload, context);
  // zod replaces `parse` itself at the first call, when it knows whether the schema contains itself.
  Object.defineProperty(_zod, 'parse', { get: () => replacement, set: (parse: Parse) => (original = parse) });
  if (isWithoutChecks) _zod.run = replacement;
}

function parseArray(
  { _zod: { def } }: z.core.$ZodArray,
  original: Parse,
  ...[payload, context]: Parameters<Parse>
): ReturnType<Parse> {
  const given = payload.value;
  if (!Array.isArray(given) || given.length <= SLICE) return original(payload, context);
  for (const check of def.checks ?? []) {
    const { maximum } = check._zod.def as { check: string; maximum?: number };
    if (check._zod.def.check !== 'max_length' || maximum === undefined || given.length <= maximum) continue;
    const what = { code: 'too_big', origin: 'array', maximum, inclusive: true } as const;
    payload.issues.push({ ...what, input: given, inst: check as never });
    payload.value = given.slice(0, maximum);
    return payload;
  }
  const items: unknown[] = [];
  for (let from = 0; from < given.length && payload.issues.length === 0; from += SLICE) {
    const part = original({ value: given.slice(from, from + SLICE), issues: [] }, context);
    if (part instanceof Promise) return original(payload, context);
    for (const issue of part.issues) issue.path?.splice(0, 1, from + Number(issue.path[0]));
    payload.issues.push(...part.issues);
    items.push(...(part.value as unknown[]));
  }
  payload.value = items;
  return payload;
}

function parseRecord(
  _schema: z.core.$ZodRecord,
  original: Parse,
  ...[payload, context]: Parameters<Parse>
): ReturnType<Parse> {
  const given = payload.value;
  if (!isPlain(given)) return original(payload, context);
  const names = Object.keys(given);
  if (names.length <= SLICE) return original(payload, context);
  const members: Record<string, unknown> = {};
  for (let from = 0; from < names.length && payload.issues.length === 0; from += SLICE) {
    const some = names.slice(from, from + SLICE).map((name) => [name, given[name]]);
    const part = original({ value: Object.fromEntries(some) as unknown, issues: [] }, context);
    if (part instanceof Promise) return original(payload, context);
    payload.issues.push(...part.issues);
    Object.assign(members, part.value);
  }
  payload.value = members;
  return payload;
}

const isPlain = (value: unknown): value is Record<string, unknown> => z.core.util.isPlainObject(value);
