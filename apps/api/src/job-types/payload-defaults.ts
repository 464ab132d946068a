import type { JsonSchema } from '@offload/jobs/definitions';

type Fill = (value: unknown) => unknown;

/** @returns whether a value fits the part of the schema at this URI fragment, such as `#/properties/a/anyOf/0` */
type Fits = (fragment: string, value: unknown) => boolean;

/**
 * Makes a function that fills in the defaults of missing members, also within unions, where Ajv fills in none. It does
 * not change the payload itself.
 *
 * @returns null if the schema has no defaults
 */
export function defaultsOf(schema: JsonSchema, fits: Fits): Fill | null {
  if (!JSON.stringify(schema).includes('"default":')) return null;
  /** The functions that fill in defaults, by fragment; null if the part has no defaults. */
  const fills = new Map<string, Fill | null>();

  function fillOf(node: unknown, fragment: string): Fill | null {
    if (!isObject(node)) return null;
    const known = fills.get(fragment);
    if (known !== undefined) return known;
    fills.set(fragment, (value) => fills.get(fragment)?.(value) ?? value); // for a schema that contains itself
    const parts = [ofDefault(node), ofReference(node), ofMembers(node, fragment), ofItems(node, fragment)];
    parts.push(...ofAll(node, fragment), ofUnion(node, fragment, 'anyOf'), ofUnion(node, fragment, 'oneOf'));
    const found = parts.filter((part) => part !== null);
    const fill: Fill | null = found.length === 0 ? null : (value) => found.reduce((made, part) => part(made), value);
    fills.set(fragment, fill);
    return fill;
  }

  function ofReference({ $ref }: JsonSchema): Fill | null {
    if (typeof $ref !== 'string' || !$ref.startsWith('#')) return null;
    return fillOf(partAt(schema, $ref), $ref);
  }

  function ofMembers(node: JsonSchema, fragment: string): Fill | null {
    const properties = isObject(node['properties']) ? node['properties'] : {};
    const named = Object.entries(properties).flatMap(([name, part]): [string, Fill][] => {
      const fill = fillOf(part, `${fragment}/properties/${token(name)}`);
      return fill ? [[name, fill]] : [];
    });
    const others = fillOf(node['additionalProperties'], `${fragment}/additionalProperties`);
    if (named.length === 0 && !others) return null;
    return (value) => {
      if (!isObject(value)) return value;
      let result = value;
      const fillIn = (name: string, fill: Fill): void => {
        const given = Object.hasOwn(value, name) ? value[name] : undefined;
        const made = fill(given);
        if (made === given) return;
        if (result === value) result = { ...value };
        Object.defineProperty(result, name, { value: made, enumerable: true, configurable: true, writable: true });
      };
      for (const [name, fill] of named) fillIn(name, fill);
      if (others) for (const name of Object.keys(value)) if (!Object.hasOwn(properties, name)) fillIn(name, others);
      return result;
    };
  }

  function ofItems({ prefixItems, items }: JsonSchema, fragment: string): Fill | null {
    const first = Array.isArray(prefixItems) ? prefixItems : [];
    const fillsOfFirst = first.map((part, at) => fillOf(part, `${fragment}/prefixItems/${at}`));
    const rest = fillOf(items, `${fragment}/items`);
    if (!rest && fillsOfFirst.every((fill) => fill === null)) return null;
    const fillAt = (at: number): Fill | null => (at < first.length ? (fillsOfFirst[at] ?? null) : rest);
    return (value) => {
      if (!Array.isArray(value)) return value;
      const made = value.map((item: unknown, at) => fillAt(at)?.(item) ?? item);
      return made.some((item, at) => item !== value[at]) ? made : value;
    };
  }

  function ofAll({ allOf }: JsonSchema, fragment: string): (Fill | null)[] {
    return Array.isArray(allOf) ? allOf.map((part, at) => fillOf(part, `${fragment}/allOf/${at}`)) : [];
  }

  /**
   * Fills in the defaults of the alternative that accepts the value, unless an earlier alternative would then accept
   * it.
   */
  function ofUnion(node: JsonSchema, fragment: string, keyword: 'anyOf' | 'oneOf'): Fill | null {
    const given = node[keyword];
    if (!Array.isArray(given)) return null;
    const options = given.map((part, at) => {
      const place = `${fragment}/${keyword}/${at}`;
      return { fill: fillOf(part, place), takes: (value: unknown) => fits(place, value) };
    });
    if (options.every(({ fill }) => fill === null)) return null;
    return (value) => {
      const taking = options.filter(({ takes }) => takes(value));
      const [chosen] = taking;
      if (value === undefined || !chosen?.fill) return value;
      const made = chosen.fill(value);
      const after = options.filter(({ takes }) => takes(made));
      return after[0] === chosen && after.length <= taking.length ? made : value;
    };
  }

  return fillOf(schema, '#');
}

function ofDefault(node: JsonSchema): Fill | null {
  if (!Object.hasOwn(node, 'default')) return null;
  return (value) => (value === undefined ? node['default'] : value);
}

/** A name as a part of a JSON pointer in a URI fragment (RFC 6901 section 6). */
function token(name: string): string {
  return encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'));
}

function partAt(schema: JsonSchema, fragment: string): unknown {
  const tokens = fragment.slice(1).split('/').slice(1);
  return tokens.reduce<unknown>((node, each) => {
    const name = decodeURIComponent(each).replaceAll('~1', '/').replaceAll('~0', '~');
    const isThere = typeof node === 'object' && node !== null && Object.hasOwn(node, name);
    return isThere ? (node as JsonSchema)[name] : undefined;
  }, schema);
}

function isObject(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
