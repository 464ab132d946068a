import { expect, it } from '@jest/globals';
import { documentedVariables } from '@offload/spec-kit';
import { configSchema } from './config.ts';

it('has each of its variables in .env.example', () => {
  expect(documentedVariables('worker').example).toEqual(expect.arrayContaining(Object.keys(configSchema.shape)));
});

it('is given each of its variables by docker compose, but for those that are fixed in a container', () => {
  const fixed = ['AMQP_CA_FILE', 'INSTANCE', 'REPLACE_SCHEMAS', 'WORKER_PORT'];
  const given = [...documentedVariables('worker').compose, ...fixed];
  expect(given).toEqual(expect.arrayContaining(Object.keys(configSchema.shape)));
});
