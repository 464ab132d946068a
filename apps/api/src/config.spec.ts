import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { configSchema } from './config.ts';

it('has each of its variables in .env.example', () => {
  const example = readFileSync(new URL('../../../.env.example', import.meta.url), 'utf8');
  const documented = example.match(/(?<=^#?)[A-Z_]+(?==)/gm) ?? [];
  expect(documented).toEqual(expect.arrayContaining(Object.keys(configSchema.shape)));
});

it('is given each of its variables by docker compose, but for those that are fixed in a container', () => {
  const compose = readFileSync(new URL('../../../docker-compose.yml', import.meta.url), 'utf8');
  const blocks = compose.split(/\n\n/).filter((block) => /^(x-environment| {2}api):/.test(block));
  const given = blocks.join('\n').match(/(?<=^ +)[A-Z_]+(?=: )/gm) ?? [];
  const fixed = ['AMQP_CA_FILE', 'INSTANCE', 'API_PORT'];
  expect([...given, ...fixed]).toEqual(expect.arrayContaining(Object.keys(configSchema.shape)));
});

it('reads a bound for all queues and for single ones, and keeps which have one', () => {
  const bounds = configSchema.shape.MAX_BACKLOG.parse('100000, mail=500');
  expect([bounds('mail'), bounds('default'), bounds.queues]).toEqual([500, 100_000, ['mail']]);
});
