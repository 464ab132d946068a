/** A client that shares no code with Offload, and does not use AMQP: it uses RabbitMQ's management API. */
export interface OtherClient {
  /** Publishes a message. @throws Error when no queue gets it */
  publish(message: { exchange?: string; routingKey?: string; payload: string }): Promise<void>;
  /** Takes the first message out of a queue. */
  get(queue: string): Promise<{ payload: string; properties: { content_type?: string } }>;
  /** Makes a queue and binds it to a fanout exchange. */
  bind(queue: string, exchange: string): Promise<void>;
}

const DEFAULT_EXCHANGE = 'amq.default'; // its name in the API; AMQP has none for it
const PATIENCE_MS = 10_000;

/** Makes the client. @param url URL of the API. All queues are in the virtual host `/`. */
export function otherClient(url: string, { username, password }: { username: string; password: string }): OtherClient {
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

  async function call(method: string, path: string, body: object): Promise<string> {
    const response = await fetch(`${url}/api${path}`, {
      method,
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const answer = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${answer}`);
    return answer;
  }

  return {
    async publish({ exchange = DEFAULT_EXCHANGE, routingKey = '', payload }) {
      const message = { properties: {}, routing_key: routingKey, payload, payload_encoding: 'string' };
      const answer = await call('POST', `/exchanges/%2F/${exchange}/publish`, message);
      if (!JSON.parse(answer).routed) throw new Error(`no queue got "${payload}"`);
    },
    async get(queue) {
      const wanted = { count: 1, ackmode: 'ack_requeue_false', encoding: 'auto' };
      const [message] = JSON.parse(await call('POST', `/queues/%2F/${queue}/get`, wanted));
      if (!message) throw new Error(`nothing is in the queue "${queue}"`);
      return message;
    },
    async bind(queue, exchange) {
      await call('PUT', `/queues/%2F/${queue}`, { durable: true });
      await call('POST', `/bindings/%2F/e/${exchange}/q/${queue}`, {});
    },
  };
}
