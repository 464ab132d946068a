import { afterEach, beforeEach } from '@jest/globals';
import { eventually, freshVhost, type FreshVhost } from '@offload/spec-kit';
import amqp, { type ConfirmChannel } from 'amqplib';
import { connect, type ConnectOptions, type Connection } from './connection.ts';

/** A vhost of its own for each test of a file; what the test has opened is closed behind it. */
export function useVhost() {
  const opened: { close(): Promise<unknown> }[] = [];
  let vhost: FreshVhost;
  beforeEach(async () => void (vhost = await freshVhost()));
  afterEach(async () => {
    await Promise.allSettled(opened.splice(0).map((each) => each.close()));
    await vhost.remove();
  });

  function closeAfterwards<Closable extends { close(): Promise<unknown> }>(closable: Closable): Closable {
    opened.push(closable);
    return closable;
  }

  return {
    get url() {
      return vhost.amqpUrl;
    },
    get name() {
      return vhost.name;
    },
    remove: () => vhost.remove(),
    closeAfterwards,
    /** The library's connection, which comes back quickly; what it tells is kept. */
    connect(options: Partial<ConnectOptions> = {}) {
      const connection = closeAfterwards(connect({ url: vhost.amqpUrl, maxReconnectDelayMs: 50, ...options }));
      connection.opened.catch(() => undefined);
      const states: [state: string, reason?: string][] = [];
      const steps: string[] = [];
      const faults: string[] = [];
      const losses: string[] = [];
      connection.events
        .on('state', (...state) => void states.push(state))
        .on('message', (step, where) => void steps.push(`${step} ${where}`))
        .on('fault', (error) => void faults.push(error.message))
        .on('channelLost', (reason) => void losses.push(reason));
      const becomes = (state: string) => eventually(() => expectState(connection, state));
      return { connection, states, steps, faults, losses, becomes };
    },
    /** Another AMQP client: somebody who sends and looks. */
    async observer(): Promise<ConfirmChannel> {
      const observing = closeAfterwards(await amqp.connect(vhost.amqpUrl));
      observing.on('error', () => undefined); // its vhost may go before it
      return observing.createConfirmChannel();
    },
  };
}

function expectState({ state }: Connection, expected: string): void {
  if (state !== expected) throw new Error(`the connection is ${state}, not ${expected}`);
}

/** The latest channel of a connection, set up after those that are kept by now. */
export async function channelOf(connection: Connection): Promise<{ latest: ConfirmChannel; cut(): void }> {
  const channels = { latest: undefined as unknown as ConfirmChannel };
  await connection.keepChannel(async (channel) => void (channels.latest = channel));
  return {
    get latest() {
      return channels.latest;
    },
    cut() {
      const { stream } = channels.latest.connection as unknown as { stream: { destroy(error: Error): void } };
      stream.destroy(new Error('cut'));
    },
  };
}
