import { z } from 'zod';

// Offload stores the input of a payload with its defaults, not the parsed output. The worker parses the stored payload
// once more, and a transform (cents to euros, for example) must not be applied twice.

type Schema = z.core.$ZodType;

/**
 * The payload to store: the posted one with its missing defaults. The schema turns it into the same output as the
 * posted payload.
 *
 * @param payload a payload that the schema has accepted
 */
export function storedPayload(schema: z.ZodType, payload: unknown): unknown {
  return filled(schema, payload);
}

function filled(schema: Schema, value: unknown): unknown {
  if (!hasDefaults(schema)) return value;
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'default':
      return value === undefined ? def.defaultValue : filled(def.innerType, value);
    case 'prefault':
      return filled(def.innerType, value === undefined ? def.defaultValue : value);
    case 'optional':
    case 'nullable':
    case 'nonoptional':
    case 'readonly':
    case 'catch':
      return filled(def.innerType, value);
    case 'lazy':
      return filled(def.getter(), value);
    case 'pipe':
      return filled(def.in, value);
    case 'intersection':
      return filled(def.right, filled(def.left, value));
    case 'union':
      return filledUnion(def.options, value);
    case 'array':
      return Array.isArray(value) ? value.map((item) => filled(def.element, item)) : value;
    case 'tuple':
      return Array.isArray(value) ? value.map((item, at) => filledItem(def.items[at] ?? def.rest, item)) : value;
    case 'object':
      return filledMembers(value, Object.keys(def.shape), (name) => def.shape[name] ?? def.catchall);
    case 'record':
      return filledMembers(value, [...(def.keyType._zod.values ?? [])].map(String), () => def.valueType);
    default:
      return value;
  }
}

const filledItem = (schema: Schema | null | undefined, value: unknown): unknown =>
  schema ? filled(schema, value) : value;

/** @param names the members that may be missing */
function filledMembers(value: unknown, names: string[], schemaOf: (name: string) => Schema | undefined): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const members = value as Record<string, unknown>;
  const result = { ...members };
  for (const name of new Set([...names, ...Object.keys(members)])) {
    const own = Object.hasOwn(members, name);
    const given = own ? members[name] : undefined;
    const member = filledItem(schemaOf(name), given);
    if (member === given) continue;
    Object.defineProperty(result, name, { value: member, enumerable: true, configurable: true, writable: true });
  }
  return result;
}

/** Fills the value as the first accepting option does, or leaves it if another option would then accept it first. */
function filledUnion(options: readonly Schema[], value: unknown): unknown {
  const [chosen, ...others] = accepting(options, value);
  if (!chosen) return value;
  const result = filled(chosen, value);
  const [first, ...more] = result === value ? [chosen] : accepting(options, result);
  return first === chosen && more.length <= others.length ? result : value;
}

function accepting(options: readonly Schema[], value: unknown): Schema[] {
  return options.filter((option) => z.safeParse(option, value).success);
}

/** Whether a schema has defaults. Most have none, and their payloads are stored as they are. */
const withDefaults = new WeakMap<Schema, boolean>();

function hasDefaults(schema: Schema): boolean {
  const known = withDefaults.get(schema);
  if (known !== undefined) return known;
  const within = new Set<Schema>();
  const found = partsOf(schema, within).some(({ _zod: { def } }) => def.type === 'default' || def.type === 'prefault');
  withDefaults.set(schema, found);
  return found;
}

/** The schema and all schemas on its input side, each once. */
function partsOf(schema: Schema, seen: Set<Schema>): Schema[] {
  if (seen.has(schema)) return [];
  seen.add(schema);
  return [schema, ...inputs(schema).flatMap((part) => partsOf(part, seen))];
}

function inputs(schema: Schema): Schema[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'object':
      return [...Object.values(def.shape), ...(def.catchall ? [def.catchall] : [])];
    case 'array':
      return [def.element];
    case 'tuple':
      return [...def.items, ...(def.rest ? [def.rest] : [])];
    case 'record':
      return [def.keyType, def.valueType];
    case 'union':
      return [...def.options];
    case 'intersection':
      return [def.left, def.right];
    case 'lazy':
      return [def.getter()];
    case 'pipe':
      return [def.in];
    default:
      return 'innerType' in def ? [def.innerType] : [];
  }
}

/**
 * Finds the reason why payloads of a schema can't be stored and parsed again. Such a schema accepts values that JSON
 * does not have, changes the input before it is checked, is async, or has a default that is not a valid input.
 *
 * @returns the reason as a sentence; null when payloads can be stored
 */
export function storingFault(schema: z.ZodType): string | null {
  try {
    z.toJSONSchema(schema, { io: 'input' });
  } catch (error) {
    return `JSON Schema can't describe its input: ${(error as Error).message}`;
  }
  for (const part of partsOf(schema, new Set())) {
    const fault = faultOf(part);
    if (fault !== null) return fault;
  }
  return null;
}

function faultOf(part: Schema): string | null {
  const { def } = (part as z.core.$ZodTypes)._zod;
  if (def.checks?.some((check) => isAsync((check._zod.def as { fn?: unknown }).fn))) return 'it has an async check';
  switch (def.type) {
    case 'promise':
      return 'it accepts a promise';
    case 'transform':
      return 'it changes its input before it is checked (preprocess): check the input first, and transform it then';
    case 'pipe':
      return faultBehind(def.out) ?? ('transform' in def && isAsync(def.transform) ? ASYNC_TRANSFORM : null);
    case 'default':
      return keeps(def.innerType, def.defaultValue)
        ? null
        : 'one of its defaults is not an input that parsing leaves unchanged: give an input with prefault';
    default:
      return null;
  }
}

const ASYNC_TRANSFORM = 'it has an async transform';

function faultBehind(out: Schema): string | null {
  for (const part of partsOf(out, new Set())) {
    const { def } = (part as z.core.$ZodTypes)._zod;
    if (def.type === 'transform' && isAsync(def.transform)) return ASYNC_TRANSFORM;
    if (def.type === 'default' || def.type === 'prefault') return 'it has a default behind a transform';
  }
  return null;
}

function isAsync(fn: unknown): boolean {
  return Object.prototype.toString.call(fn) === '[object AsyncFunction]';
}

function keeps(schema: Schema, value: unknown): boolean {
  try {
    const parsed = z.safeParse(schema, value);
    return parsed.success && same(parsed.data, value);
  } catch {
    return false; // the schema is async
  }
}

function same(one: unknown, other: unknown): boolean {
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null)
    return Object.is(one, other);
  const [names, others] = [Object.keys(one), Object.keys(other)];
  const member = (of: object, name: string): unknown => (of as Record<string, unknown>)[name];
  return names.length === others.length && names.every((name) => same(member(one, name), member(other, name)));
}
