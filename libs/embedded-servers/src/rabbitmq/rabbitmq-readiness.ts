import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { describeExit, type Child, type Exit } from '@offload/child-processes';

const READY_TIMEOUT_MS = 60_000;

/** A node that is starting. */
interface StartingRabbitmq {
  amqpUrl: string;
  managementUrl: string;
  exited: Promise<Exit>;
  stop(): Promise<void>;
}

/**
 * Resolves when the broker accepts connections and its management API answers.
 *
 * @throws Error with the end of the log when the broker ends before, or is not ready after 60 s and is ended
 */
export async function rabbitmqReady(server: StartingRabbitmq, broker: Child): Promise<void> {
  let ended: Exit | undefined;
  void server.exited.then((exit) => (ended = exit));
  const until = Date.now() + READY_TIMEOUT_MS;
  while (!((await accepts(new URL(server.amqpUrl))) && (await managementAnswers(server)))) {
    if (ended === undefined && Date.now() < until) {
      await delay(50);
      continue;
    }
    if (ended === undefined) await server.stop();
    const how = ended === undefined ? `not ready within ${READY_TIMEOUT_MS / 1000} s` : describeExit(ended);
    throw new Error(`RabbitMQ did not start (${how}). The end of its log:\n${broker.tail()}`);
  }
}

/**
 * Whether the broker listens, which is the last step of its start. It logs nothing about a client that only connects.
 */
export function accepts({ hostname, port }: URL): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () => {
      resolve(true);
      socket.destroy();
    });
    socket.once('error', () => resolve(false));
  });
}

async function managementAnswers({ amqpUrl, managementUrl }: StartingRabbitmq): Promise<boolean> {
  const { username, password } = new URL(amqpUrl);
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  try {
    const options = { headers: { authorization }, signal: AbortSignal.timeout(1_000) };
    const response = await fetch(`${managementUrl}/api/whoami`, options);
    await response.arrayBuffer();
    return response.ok || (username === '' && response.status === 401); // the users in given definitions are unknown
  } catch {
    return false; // not listening yet
  }
}
