import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { connect, type ConnectOptions } from '@offload/messaging';
import { manage } from '@offload/spec-kit';
import { startBroker, type TestBroker } from '@offload/spec-kit/servers';
import amqp, { type ConfirmChannel } from 'amqplib';
import { passwords, QUEUES, render, topology, variables, type User } from './spec-definitions.ts';

let broker: TestBroker;
const opened: { close(): Promise<unknown> }[] = [];
beforeAll(async () => {
  const { stdout } = render({ ...variables, QUEUES: QUEUES.join(', ') });
  broker = await startBroker({ definitions: JSON.parse(stdout) as object });
}, 60_000);
afterAll(() => broker?.remove());
afterEach(async () => void (await Promise.allSettled(opened.splice(0).map((each) => each.close()))));

export const urlOf = (username: string, password: string) =>
  Object.assign(new URL(broker.amqpUrl), { username, password }).href;
export const asOperator = async (path: string) => {
  const amqpUrl = urlOf('operator', passwords.operator);
  return (await manage('GET', path, undefined, { ...broker, amqpUrl })) as Record<string, unknown>[];
};

/** The library's connection, as the processes open it. */
export function connectAs(user: User, options: Partial<ConnectOptions> = {}) {
  const connection = connect({ url: urlOf(user, passwords[user]), topology, maxReconnectDelayMs: 50, ...options });
  connection.opened.catch(() => undefined);
  const reasons: (string | undefined)[] = [];
  const faults: string[] = [];
  connection.events
    .on('state', (_state, reason) => void reasons.push(reason))
    .on('fault', ({ message }) => void faults.push(message));
  opened.push(connection);
  return { connection, reasons, faults };
}

export async function channelsOf(user: User): Promise<() => Promise<ConfirmChannel>> {
  const model = await amqp.connect(urlOf(user, passwords[user]));
  opened.push(model);
  return () => model.createConfirmChannel();
}
