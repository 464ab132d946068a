/** JSON Schema, draft 2020-12. */
export type JsonSchema = Record<string, unknown>;

/** Members that do not decide which values are valid. */
const ANNOTATIONS = new Set(['$schema', '$id', '$comment', 'title', 'description', 'examples', 'deprecated']);
/** Members whose own members have names that the schema's author chose: none of these is an annotation. */
const NAMED = new Set([
  'properties',
  'patternProperties',
  '$defs',
  'definitions',
  'dependentSchemas',
  'dependentRequired',
]);
/** Members that are values, not schemas. */
const VALUES = new Set(['default', 'const', 'enum']);

/** Most differences that are returned. */
const MOST = 20;

/**
 * Compares two JSON Schemas. It ignores titles, descriptions and examples, and the order of members and of `required`,
 * `enum` and `type`.
 *
 * @returns a sentence for each of the first 20 differences, with a JSON pointer into the schema
 */
export function schemaDifferences(registered: unknown, offered: unknown): string[] {
  const found: string[] = [];
  collect(comparable(registered), comparable(offered), '', found);
  return found.slice(0, MOST);
}

/** The schema as text. Two schemas have the same text if {@link schemaDifferences} finds no difference. */
export function comparableText(schema: unknown): string {
  return JSON.stringify(comparable(schema));
}

/** The schema without annotations, with its members in one order. */
function comparable(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(comparable);
  if (!isObject(schema)) return schema;
  const kept = Object.keys(schema).filter((name) => !ANNOTATIONS.has(name));
  return fromNames(kept, (name) => {
    const value = schema[name];
    if (NAMED.has(name) && isObject(value)) return fromNames(Object.keys(value), (each) => comparable(value[each]));
    if (['required', 'enum', 'type'].includes(name) && Array.isArray(value)) return sorted(value.map(inOrder));
    return VALUES.has(name) ? inOrder(value) : comparable(value);
  });
}

/** The value with its members in one order. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  return isObject(value) ? fromNames(Object.keys(value), (name) => inOrder(value[name])) : value;
}

function fromNames(names: string[], valueOf: (name: string) => unknown): JsonSchema {
  return Object.fromEntries(names.sort().map((name) => [name, valueOf(name)]));
}

function sorted(values: unknown[]): unknown[] {
  const texts = new Map(values.map((value) => [JSON.stringify(value), value]));
  return [...texts.keys()].sort().map((text) => texts.get(text));
}

function collect(before: unknown, after: unknown, pointer: string, found: string[]): void {
  if (found.length >= MOST || JSON.stringify(before) === JSON.stringify(after)) return;
  if (!isObject(before) || !isObject(after)) {
    found.push(`${pointer || 'the schema'} is ${shown(after)}, and ${shown(before)} where it is registered`);
    return;
  }
  for (const name of [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()) {
    collect(before[name], after[name], `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, found);
  }
}

function shown(value: unknown): string {
  if (value === undefined) return 'not there';
  const text = JSON.stringify(value);
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

function isObject(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
