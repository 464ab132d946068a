import { testServer } from './test-server.ts';

/** A RabbitMQ, such as a `TestBroker`. */
export interface ManagedServer {
  /** only its user and password count: an administrator's */
  readonly amqpUrl: string;
  readonly managementUrl: string;
}

/**
 * Asks RabbitMQ's management API, as an administrator, and resolves to the JSON of its answer: undefined when it has none
 * or there is no such thing (404). Its counters lag 5 s behind.
 * @param server @default the one of the run
 * @throws Error with the answer when it is another 4xx or 5xx
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
