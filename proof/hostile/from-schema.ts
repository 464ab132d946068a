import fc, { type Arbitrary } from 'fast-check';

/** The parts of JSON Schema that the api's document uses. */
export interface Schema {
  $ref?: string;
  type?: string;
  enum?: unknown[];
  const?: unknown;
  format?: string;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  propertyNames?: Schema;
  additionalProperties?: boolean | Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
}

const day = 24 * 60 * 60 * 1_000;
const aYear = 365 * day;
/** A fixed time that the contract accepts for some years, so that a seed gives the same requests. */
const near = Date.parse('2027-01-01T00:00:00Z');

const moment = fc
  .tuple(
    fc.integer({ min: -aYear, max: 3 * aYear }),
    fc.constantFrom('Z', '+00:00', '-00:00', '+05:30', '-12:00', '+14:00'),
  )
  .map(([ms, zone]) => new Date(near + ms).toISOString().replace('Z', zone));
const wholeSecond = moment.map((text) => text.replace(/\.\d+/, ''));
const time = fc.oneof(moment, wholeSecond);

const url = fc
  .tuple(
    fc.constantFrom('http', 'https'),
    fc.constantFrom('example.com', '127.0.0.1', '[::1]', 'é.example'),
    fc.webPath(),
  )
  .map(([scheme, host, path]) => `${scheme}://${host}${path}`);

/** Values that are valid or nearly valid. A pattern that can't be generated becomes random text. */
export function fromSchema(schema: Schema, resolve: (reference: string) => Schema): Arbitrary<unknown> {
  const inner = (each: Schema): Arbitrary<unknown> => fromSchema(each, resolve);
  if (schema.$ref !== undefined) return inner(resolve(schema.$ref));
  if ('const' in schema) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return fc.oneof(...choices.map(inner));
  switch (schema.type) {
    case 'null':
      return fc.constant(null);
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return fc.integer({ min: schema.minimum ?? -(2 ** 31), max: Math.min(schema.maximum ?? 2 ** 31 - 1, 2 ** 52) });
    case 'number':
      return fc.double({ min: schema.minimum ?? -1e9, max: schema.maximum ?? 1e9, noNaN: true });
    case 'string':
      return text(schema);
    case 'array': {
      const { items = {}, minItems = 0, maxItems = 10 } = schema;
      return fc.array(inner(items), { minLength: minItems, maxLength: Math.min(maxItems, Math.max(minItems, 16)) });
    }
    case 'object':
      return object(schema, inner);
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

function text({ format, pattern, minLength = 0, maxLength = 200 }: Schema): Arbitrary<string> {
  if (format === 'date-time') return time;
  if (format === 'uuid') return fc.uuid();
  if (format === 'uri') return url;
  if (pattern === undefined) return fc.string({ minLength, maxLength: Math.min(maxLength, 200) });
  if (pattern.startsWith('^[^'))
    return fc.string({ unit: 'grapheme', minLength: Math.max(minLength, 1), maxLength: 20 });
  return fc.stringMatching(new RegExp(pattern)).map((each) => each.slice(0, maxLength));
}

function object(schema: Schema, inner: (schema: Schema) => Arbitrary<unknown>): Arbitrary<unknown> {
  const { properties, required = [], propertyNames, additionalProperties } = schema;
  if (properties) {
    const members = Object.fromEntries(Object.entries(properties).map(([name, each]) => [name, inner(each)]));
    return fc.record(members, { requiredKeys: required });
  }
  const value = typeof additionalProperties === 'object' ? inner(additionalProperties) : fc.jsonValue({ maxDepth: 2 });
  return fc.dictionary(propertyNames ? text(propertyNames) : fc.string(), value, { maxKeys: 5 });
}
