import { expect, it } from '@jest/globals';
import { composeVariables } from '@offload/spec-kit';
import { configSchema } from './config.ts';

it('is given each of its variables by docker compose, but for those that are fixed in a container', () => {
  const fixed = ['AMQP_CA_FILE', 'INSTANCE', 'REPLACE_SCHEMAS', 'API_PORT'];
  const given = [...composeVariables('api'), ...fixed];
  expect(given).toEqual(expect.arrayContaining(Object.keys(configSchema.shape)));
});

it('reads a bound for all queues and for single ones, and keeps which have one', () => {
  const bounds = configSchema.shape.MAX_BACKLOG.parse('100000, mail=500');
  expect([bounds('mail'), bounds('default'), bounds.queues]).toEqual([500, 100_000, ['mail']]);
});
