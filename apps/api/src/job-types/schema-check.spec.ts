import { describe, expect, it } from '@jest/globals';
import { registrationOf, type JsonSchema } from '@offload/jobs/definitions';
import { findJobDefinition } from '@offload/jobs/job-types';
import { compileSchema, schemaFault } from './schema-check.ts';

/** Where a payload is at fault, and why. */
function faults(schema: JsonSchema, payload: unknown): [path: string, message: string][] {
  const found = compileSchema(schema).faults(payload);
  return (found?.issues ?? []).map((issue) => {
    return [[...issue.path, ...('keys' in issue ? issue.keys : [])].join('/'), issue.message];
  });
}
const paths = (schema: JsonSchema, payload: unknown) => faults(schema, payload).map(([path]) => path);
const filled = (schema: JsonSchema, payload: unknown) => compileSchema(schema).filled(payload);

const image = {
  type: 'object',
  properties: { url: { type: 'string', format: 'uri' }, width: { type: 'integer', minimum: 1 } },
  required: ['url'],
  additionalProperties: false,
};

describe('the faults of a payload', () => {
  it('are none where it fits', () => {
    expect(compileSchema(image).faults({ url: 'https://exämple.com/a b', width: 1 })).toBeNull();
  });

  it.each<[what: string, payload: unknown, paths: string[]]>([
    ['of another kind', [], ['']],
    ['a member that is missing', {}, ['url']],
    ['members that are not known', { url: 'http://a', 'b/~': 1, c: 2 }, ['b/~', 'c']],
    ['several at once', { url: 'a', width: 0.5 }, ['url', 'width']],
    ['a number beyond a double', { url: 'http://a', width: Infinity }, ['width']],
    ['what a payload inherits', JSON.parse('{"url":"http://a","__proto__":1}'), ['__proto__']],
  ])('%s', (_what, payload, expected) => {
    expect(paths(image, payload)).toEqual(expected);
  });

  it('name an item, and a name that is not allowed', () => {
    const schema = {
      type: 'object',
      properties: { list: { type: 'array', items: { type: 'integer' } } },
      propertyNames: { pattern: '^[a-z]+$' },
    };
    expect(paths(schema, { list: [1, 'x'], 'A-1': 1 })).toEqual(['A-1', 'list/1']);
  });

  it('are one for a union', () => {
    const schema = { properties: { to: { anyOf: [{ type: 'integer' }, { type: 'object', required: ['name'] }] } } };
    expect(faults(schema, { to: {} })).toEqual([['to', 'fits none of its alternatives']]);
    const either = { oneOf: [{ required: ['csv'] }, { required: ['url'] }] };
    expect(faults(either, {})).toEqual([['', 'fits none of its alternatives']]);
    expect(faults(either, { csv: 1, url: 2 })).toEqual([['', 'fits more than one of its alternatives']]);
  });

  it('are the first alone where the payload is large', () => {
    const schema = { type: 'object', additionalProperties: { type: 'string' } };
    const large = Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => [`m${n}`, n]));
    expect(paths(schema, large)).toEqual(['m0']);
  });

  it('accept members with the names of inherited properties', () => {
    const schema = { properties: { constructor: { type: 'string' } }, required: ['toString'] };
    expect(paths(schema, {})).toEqual(['toString']);
  });

  it('follow patterns that have a meaning without the flag u alone', () => {
    expect(paths({ type: 'string', pattern: '^[\\w\\-]+$' }, 'a-b')).toEqual([]);
    expect(paths({ type: 'string', pattern: '^\\p{L}+$' }, 'ä')).toEqual([]);
    expect(paths({ type: 'string', pattern: '^.$' }, '😀')).toEqual([]);
    expect(paths({ type: 'string', pattern: '^[^a]{2}$' }, '😀')).toEqual(['']);
    expect(paths({ properties: { a: { pattern: '^a$' }, b: { pattern: '^b$' } } }, { a: 'a', b: 'b' })).toEqual([]);
  });

  it('are found soon, though a pattern leads a thousand million ways', () => {
    expect(paths({ type: 'string', pattern: '^(a+)+$' }, `${'a'.repeat(60)}!`)).toEqual(['']);
  });

  it('look once at each item of an array whose items are to be unique', () => {
    let looks = 0;
    const itemOf = (n: number) => ({
      get n() {
        looks += 1;
        return n;
      },
    });
    const items = Array.from({ length: 1_000 }, (_, n) => itemOf(n));
    expect(paths({ uniqueItems: true }, items)).toEqual([]);
    expect(looks).toBe(1_000);
  });

  it.each<[same: boolean, one: unknown, other: unknown]>([
    [true, { a: 1, b: [{ c: 2, d: 3 }] }, { b: [{ d: 3, c: 2 }], a: 1 }],
    [true, 0, -0],
    [true, JSON.parse('{"__proto__":1}'), JSON.parse('{"__proto__":1}')],
    [false, JSON.parse('{"__proto__":1}'), {}],
    [false, 1, '1'],
    [false, null, Infinity],
    [false, [1, 2], [2, 1]],
    [false, ['a', 'b'], ['a","b']],
    [false, { 'a":1,"b': 2 }, { a: 1, b: 2 }],
  ])('tell items that are the same from others: %j, %j and %j', (same, one, other) => {
    expect(faults({ items: { uniqueItems: true } }, [[one, other]])).toEqual(
      same ? [['0', 'must NOT have duplicate items']] : [],
    );
    expect(paths({ uniqueItems: false }, [one, other])).toEqual([]);
  });

  it('are one where the schema refers to itself without end for such a payload', () => {
    const schema = { if: { required: ['again'] }, then: { $ref: '#' } };
    expect(faults(schema, { again: 1 })).toEqual([['', expect.stringContaining('without end')]]);
  });
});

describe('defaults', () => {
  const size = { type: 'object', properties: { width: { type: 'integer', default: 640 } } };

  it('are filled in wherever they are, and the payload stays as it is', () => {
    const schema = {
      type: 'object',
      properties: {
        mode: { default: 'fit' },
        sizes: { type: 'array', items: size },
        first: { type: 'array', prefixItems: [size, { type: 'integer' }] },
        named: { type: 'object', additionalProperties: size },
        either: { anyOf: [{ type: 'string' }, size] },
        both: { allOf: [size, { properties: { height: { default: 480 } } }] },
        tree: { $ref: '#/$defs/tree' },
      },
      $defs: { tree: { type: 'object', properties: { n: { default: 1 }, child: { $ref: '#/$defs/tree' } } } },
    };
    const payload = {
      ...{ sizes: [{}, { width: 1 }], first: [{}, 2], named: { a: {} }, either: {}, both: {}, more: true },
      tree: { child: { n: 2, child: {} } },
    };
    const before = structuredClone(payload);
    expect(filled(schema, payload)).toEqual({
      ...{ mode: 'fit', sizes: [{ width: 640 }, { width: 1 }], first: [{ width: 640 }, 2], more: true },
      ...{ named: { a: { width: 640 } }, either: { width: 640 }, both: { width: 640, height: 480 } },
      tree: { n: 1, child: { n: 2, child: { n: 1 } } },
    });
    expect(payload).toEqual(before);
  });

  it('make no union take a value as something else', () => {
    const schema = {
      anyOf: [
        { type: 'object', properties: { b: { type: 'integer' } }, required: ['b'] },
        { type: 'object', properties: { b: { type: 'integer', default: 1 } } },
      ],
    };
    expect(filled(schema, {})).toEqual({});
  });

  it('leave the very payload where there is nothing to fill in', () => {
    const payload = { url: 'http://a', list: [{}] };
    expect(filled(image, payload)).toBe(payload);
    expect(filled(size, payload)).toEqual({ ...payload, width: 640 });
    const full = { width: 1 };
    expect(filled(size, full)).toBe(full);
  });

  it('keep a member named __proto__ one of its own', () => {
    const made = filled(size, JSON.parse('{"__proto__":{"a":1}}'));
    expect(JSON.stringify(made)).toBe('{"__proto__":{"a":1},"width":640}');
  });
});

describe('the schemas of the job types that come with Offload', () => {
  const check = (type: string, payload: unknown) => {
    const definition = findJobDefinition(type);
    if (!definition) throw new Error(`no ${type}`);
    const schema = registrationOf(definition).payloadSchema;
    return [paths(schema, payload).length === 0, definition.payload.safeParse(payload).success];
  };
  const urls = ['http://h', 'HTTPS://h?x=@', 'http://[::1]:1/', 'http://u:p@h/', 'http:h', 'http://', 'file:///x'];

  it.each([
    ...[...urls, 'http://h:99999/', 'http:////u@h', ' http://h', 'http://ü.de/a b', `http://${'h'.repeat(2_048)}`].map(
      (url): [string, unknown] => ['http.request', { url }],
    ),
    ['http.request', { url: 'http://h', method: 'get it' }],
    ['http.request', { url: 'http://h', headers: { 'a b': '' } }],
    ['http.request', { url: 'http://h', headers: { a: '\n' } }],
    ['http.request', { url: 'http://h', acceptStatus: [] }],
    ['csv.profile', {}],
    ['csv.profile', { csv: '', url: 'http://h' }],
    ['csv.profile', { csv: '', separator: '"' }],
    ['demo.sleep', { seconds: -1 }],
    ['demo.echo', { message: 'x'.repeat(100_001) }],
  ] as [string, unknown][])('say of a payload of %s what its definition says: %j', (type, payload) => {
    const [bySchema, byDefinition] = check(type, payload);
    expect(bySchema).toBe(byDefinition);
  });
});

it.each<[what: string, schema: JsonSchema, fault: RegExp | null]>([
  ['none', {}, null],
  ['a plain one', { $schema: 'https://json-schema.org/draft/2020-12/schema', ...image }, null],
  ['another draft', { $schema: 'http://json-schema.org/draft-07/schema#' }, /2020-12/],
  ['no schema', { type: 'picture' }, /type/],
  ['a pattern that is none', { pattern: '(' }, /regular expression/i],
  ['a reference to elsewhere', { $ref: 'https://example.com/schema' }, /reference/],
  ['a reference to itself', { allOf: [{ $ref: '#' }] }, /without end/],
])('tells whether a schema can be used: %s', (_what, schema, fault) => {
  if (fault === null) expect(schemaFault(schema)).toBeNull();
  else expect(schemaFault(schema)).toMatch(fault);
});
