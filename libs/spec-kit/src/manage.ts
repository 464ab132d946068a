import { testServer } from './test-server.ts';

/** A RabbitMQ, such as a `TestBroker`. */
export interface ManagedServer {
  /** URL with the user and password of an administrator; other parts are ignored. */
  readonly amqpUrl: string;
  readonly managementUrl: string;
}

/**
 * Sends a request to RabbitMQ's management API as an administrator. Resolves with the JSON of the answer, or with
 * undefined for an empty answer and for 404. The counters of the API lag 5 s behind.
 *
 * @param server @default the one of the run
 * @throws Error with the answer for another 4xx or 5xx
 */
export async function manage(
  method: 'GET' | 'PUT' | 'POST' | 'DELETE',
  path: string,
  body?: unknown,
  server?: ManagedServer,
): Promise<unknown> {
  const { username, password } = server ? new URL(server.amqpUrl) : testServer('TEST_AMQP_URL');
  const response = await fetch(new URL(path, server?.managementUrl ?? testServer('TEST_MANAGEMENT_URL')), {
    method,
    headers: {
      authorization: `Basic ${Buffer.from(decodeURIComponent(`${username}:${password}`)).toString('base64')}`,
      'content-type': 'application/json',
    },
    body: body === undefined ? null : JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok && response.status !== 404) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return response.ok && text !== '' ? JSON.parse(text) : undefined;
}
