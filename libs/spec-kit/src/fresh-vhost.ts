import { randomUUID } from 'node:crypto';

import { manage } from './manage.ts';
import { testServer } from './test-server.ts';

/** A virtual host of the test server that nobody else uses. */
export interface FreshVhost {
  readonly name: string;
  /** connects to it as a user with every permission */
  readonly amqpUrl: string;
  /** removes it with all in it; its connections are closed. One that is gone already is no fault. */
  remove(): Promise<void>;
}

/**
 * Makes a virtual host through RabbitMQ's management API.
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
