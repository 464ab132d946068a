import { expect, it } from '@jest/globals';
import { composeVariables } from '@offload/spec-kit';
import { configSchema } from './config.ts';

it('is given each of its variables by docker compose, but for those that are fixed in a container', () => {
  const fixed = ['AMQP_CA_FILE', 'INSTANCE', 'REPLACE_SCHEMAS', 'WORKER_PORT'];
  const given = [...composeVariables('worker'), ...fixed];
  expect(given).toEqual(expect.arrayContaining(Object.keys(configSchema.shape)));
});
