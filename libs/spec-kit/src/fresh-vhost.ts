import { randomUUID } from 'node:crypto';

import { manage } from './manage.ts';
import { testServer } from './test-server.ts';

/** A virtual host of the test server for one test. */
export interface FreshVhost {
  readonly name: string;
  /** URL of the virtual host, with a user that has all permissions. */
  readonly amqpUrl: string;
  /** Removes the virtual host with its queues, and closes its connections. Resolves too if it is removed already. */
  remove(): Promise<void>;
}

/**
 * Makes a virtual host through RabbitMQ's management API.
 *
 * @throws Error with the API's answer when that fails
 */
export async function freshVhost(): Promise<FreshVhost> {
  const name = `test-${randomUUID()}`;
  const url = testServer('TEST_AMQP_URL');
  url.pathname = `/${name}`;
  await manage('PUT', `/api/vhosts/${name}`);
  const everything = { configure: '.*', write: '.*', read: '.*' };
  await manage('PUT', `/api/permissions/${name}/${url.username}`, everything);
  return { name, amqpUrl: url.href, remove: async () => void (await manage('DELETE', `/api/vhosts/${name}`)) };
}
