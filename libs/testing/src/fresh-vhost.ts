import { randomUUID } from 'node:crypto';

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

/**
 * Asks RabbitMQ's management API, as an administrator, and resolves to the JSON of its answer: undefined when it has none
 * or there is no such thing (404). Its counters lag 5 s behind.
 * @throws Error with the answer when it is another 4xx or 5xx
 */
export async function manage(
  method: 'GET' | 'PUT' | 'POST' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<unknown> {
  const { username, password } = testServer('TEST_AMQP_URL');
  const response = await fetch(new URL(path, testServer('TEST_MANAGEMENT_URL')), {
    method,
    headers: {
      authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
      'content-type': 'application/json',
    },
    body: body === undefined ? null : JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok && response.status !== 404) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return response.ok && text !== '' ? JSON.parse(text) : undefined;
}
