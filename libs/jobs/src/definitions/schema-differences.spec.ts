import { expect, it } from '@jest/globals';
import { comparableText, schemaDifferences } from './schema-differences.ts';

const width = { type: 'integer', minimum: 1, maximum: 10_000 };
const schema = { type: 'object', properties: { url: { type: 'string' }, width }, required: ['url', 'width'] };

it('finds none where only annotations and the order of members differ', () => {
  const other = {
    required: ['width', 'url'],
    properties: { width: { ...width, description: 'In pixels.' }, url: { title: 'URL', type: 'string' } },
    ...{ type: 'object', $schema: 'https://json-schema.org/draft/2020-12/schema', examples: [{}] },
  };
  expect(schemaDifferences(schema, other)).toEqual([]);
  expect(comparableText(other)).toBe(comparableText(schema));
});

it('names each difference with its place and both values', () => {
  const other = {
    ...schema,
    properties: { url: { type: 'string' }, width: { ...width, maximum: 5_000 }, 'a/b': { default: 1 } },
    required: ['url'],
  };
  expect(schemaDifferences(schema, other)).toEqual([
    '/properties/a~1b is {"default":1}, and not there where it is registered',
    '/properties/width/maximum is 5000, and 10000 where it is registered',
    '/required is ["url"], and ["url","width"] where it is registered',
  ]);
  expect(comparableText(other)).not.toBe(comparableText(schema));
});

it('compares properties whose names are those of annotations', () => {
  const described = (type: string) => ({ type: 'object', properties: { description: { type } } });
  expect(schemaDifferences(described('string'), described('number'))).toHaveLength(1);
});

it('returns the first twenty', () => {
  const many = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`m${n}`, true]));
  expect(schemaDifferences({ properties: {} }, { properties: many })).toHaveLength(20);
});
