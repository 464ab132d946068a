import { afterAll, beforeAll } from '@jest/globals';
import { exchanges, jobTopology } from '@offload/job-messages';
import { connect, type Connection, type Topology } from '@offload/messaging';
import { eventually, freshVhost, type FreshVhost, manage } from '@offload/spec-kit';
import type { ArrivedMessage } from '@offload/spec-kit/contracts';

/** A message as RabbitMQ's management API hands it out: as it is on the wire. */
export interface Observed extends ArrivedMessage {
  text: string;
  routingKey: string;
  properties: Record<string, unknown>;
}

/** Queues of the observer's, each bound to the exchange of its name. */
const observing: Topology['queues'] = Object.fromEntries(
  [exchanges.events, exchanges.control, exchanges.registrations].map((exchange) => [
    `observed.${exchange}`,
    { type: 'classic', bindings: [{ exchange }] },
  ]),
);

/** Provides a broker with the topology of the jobs, and an observer of the messages that arrive. */
export function useObserver(queues: readonly string[]) {
  let vhost: FreshVhost;
  let broker: Connection;

  beforeAll(async () => {
    vhost = await freshVhost();
    const topology = jobTopology(queues);
    broker = connect({ url: vhost.amqpUrl, topology: { ...topology, queues: { ...topology.queues, ...observing } } });
    await broker.opened;
  });
  afterAll(async () => {
    await broker?.close();
    await vhost?.remove();
  });

  return {
    get broker() {
      return broker;
    },
    get url() {
      return vhost.amqpUrl;
    },
    /** What the vhost has, but for the observer's own. */
    async list<Kind extends object>(what: 'exchanges' | 'queues' | 'bindings'): Promise<Kind[]> {
      const all = (await manage('GET', `/api/${what}/${vhost.name}`)) as (Kind & Record<string, unknown>)[];
      return all.filter(({ name, destination }) => !`${name ?? destination}`.startsWith('observed.'));
    },
    /** Takes so many messages out of a queue, once they are there. */
    async take(queue: string, count: number): Promise<Observed[]> {
      const taken: Observed[] = [];
      await eventually(async () => {
        const asked = { count: count - taken.length, ackmode: 'ack_requeue_false', encoding: 'auto' };
        const path = `/api/queues/${vhost.name}/${encodeURIComponent(queue)}/get`;
        taken.push(...((await manage('POST', path, asked)) as Got[]).map(observed));
        if (taken.length < count) throw new Error(`${taken.length} of ${count} messages came to ${queue}`);
      });
      return taken;
    },
  };
}

interface Got {
  payload: string;
  routing_key: string;
  properties: { headers?: Record<string, unknown> } & Record<string, unknown>;
}

function observed({
  payload: text,
  routing_key: routingKey,
  properties: { headers = {}, ...properties },
}: Got): Observed {
  return { text, payload: parsed(text), headers, routingKey, properties };
}

/** Dead letters need not be JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
