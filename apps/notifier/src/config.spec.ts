import { expect, it } from '@jest/globals';
import { documentedVariables } from '@offload/spec-kit';
import { configSchema } from './config.ts';

it('has each of its variables in .env.example', () => {
  expect(documentedVariables('notifier').example).toEqual(expect.arrayContaining(Object.keys(configSchema.shape)));
});

it('gets each of its variables from docker compose, except those that are fixed in a container', () => {
  const fixed = ['AMQP_CA_FILE', 'INSTANCE', 'NOTIFIER_PORT'];
  const given = [...documentedVariables('notifier').compose, ...fixed];
  expect(given).toEqual(expect.arrayContaining(Object.keys(configSchema.shape)));
});
