import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { parseConfig } from '@offload/runtime';
import { configSchema } from './config.ts';

it('has each of its variables in .env.example', () => {
  const example = readFileSync(new URL('../../../.env.example', import.meta.url), 'utf8');
  const documented = example.match(/(?<=^#?)[A-Z_]+(?==)/gm) ?? [];
  expect(documented).toEqual(expect.arrayContaining(Object.keys(configSchema.shape)));
});

it.each([
  ['/nowhere/ca.pem', /^AMQP_CA_FILE=\/nowhere\/ca\.pem: .*ENOENT/],
  [import.meta.filename, /^AMQP_CA_FILE=.*: must be a readable PEM file/],
])('refuses %s as AMQP_CA_FILE', (AMQP_CA_FILE, fault) => {
  const urls = { DATABASE_URL: 'postgresql://u:p@h/d', AMQP_URL: 'amqps://u:p@h' };
  expect(parseConfig(configSchema, { ...urls, AMQP_CA_FILE })).toEqual({ faults: [expect.stringMatching(fault)] });
});
