import { connect, type Connection } from '@offload/messaging';

/** The queues and exchanges that a lesson's programs declare. */
export interface Footprint {
  queues?: readonly string[];
  exchanges?: readonly string[];
}

type Channel = Parameters<Parameters<Connection['keepChannel']>[0]>[0];

const PATIENCE_MS = 10_000;

/**
 * Finds the queues and exchanges that do not exist yet, which the lesson must remove afterwards.
 *
 * @throws Error when an existing queue has messages or consumers, because another program uses it
 */
export async function missing(url: string, { queues = [], exchanges = [] }: Footprint): Promise<Footprint> {
  const newQueues: string[] = [];
  const newExchanges: string[] = [];
  for (const queue of queues) {
    const found = await onChannel(url, (channel) => unlessMissing(channel.checkQueue(queue)));
    if (!found) newQueues.push(queue);
    else if (found.messageCount + found.consumerCount > 0) {
      const { messageCount, consumerCount } = found;
      const uses = `messages: ${messageCount}, consumers: ${consumerCount}`;
      throw new Error(`the queue "${queue}" is in use (${uses}), perhaps by another program: empty or delete it first`);
    }
  }
  for (const exchange of exchanges) {
    const found = await onChannel(url, (channel) => unlessMissing(channel.checkExchange(exchange)));
    if (!found) newExchanges.push(exchange);
  }
  return { queues: newQueues, exchanges: newExchanges };
}

/** Deletes the queues and exchanges with their messages. */
export async function remove(url: string, { queues = [], exchanges = [] }: Footprint): Promise<void> {
  await onChannel(url, async (channel) => {
    for (const queue of queues) await channel.deleteQueue(queue);
    for (const exchange of exchanges) await channel.deleteExchange(exchange);
  });
}

async function unlessMissing<T>(check: Promise<T>): Promise<T | undefined> {
  try {
    return await check;
  } catch (error) {
    if ((error as { code?: unknown }).code === 404) return undefined;
    throw error;
  }
}

/** Opens a connection for one operation, because looking for a missing queue closes the channel. */
async function onChannel<T>(url: string, use: (channel: Channel) => Promise<T>): Promise<T> {
  const connection = connect({ url, name: 'examples' });
  let late: NodeJS.Timeout | undefined;
  let why: string | undefined;
  connection.events.on('state', (_state, reason) => (why = reason));
  try {
    return await new Promise<T>((resolve, reject) => {
      late = setTimeout(() => reject(new Error(`the broker does not answer: ${why}`)), PATIENCE_MS);
      connection.keepChannel((channel) => use(channel).then(resolve, reject)).catch(reject);
    });
  } finally {
    clearTimeout(late);
    await connection.close();
  }
}
