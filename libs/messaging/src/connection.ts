import { EventEmitter, getEventListeners } from 'node:events';
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';
import type { Socket } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import amqp, { type ChannelModel } from 'amqplib';
import { z } from 'zod';
import { parseBrokerUrl } from './broker-url.ts';
import { BrokerRefusedError, BrokerUnavailableError, TopologyMismatchError } from './errors.ts';
import { keepChannels, type ChannelSetup } from './kept-channels.ts';
import { tellChannelLost, tellState, type ConnectionState, type MessagingEvents } from './messaging-events.ts';
import { milliseconds, parseOptions } from './options.ts';
import { writeTogether } from './write-together.ts';
import { declareTopology, type Topology } from './topology.ts';

export interface ConnectOptions {
  /** `amqp://user:password@host:port/vhost`, or `amqps:`; `?heartbeat=` in seconds, 10 unless given. */
  url: string;
  /** Shown on RabbitMQ's management page. @default node-<process id> */
  name?: string;
  /** Declared on every (re)connect, before anything else happens on it. @default nothing */
  topology?: Topology;
  /** For `amqps:`, such as the `ca` that the broker's certificate is to be signed by. @default Node.js's own */
  tls?: SecureContextOptions;
  /** Longest wait between two attempts to connect, in milliseconds; waits are drawn from 0 to it. @default 2_000 */
  maxReconnectDelayMs?: number;
}

/** A connection to RabbitMQ that comes back by itself. */
export interface Connection {
  /** `connecting` too while a channel that was lost alone can't be opened again. */
  readonly state: ConnectionState;
  /** Why it is not open. */
  readonly reason: string | undefined;
  /** The broker's version as it says it, `4.0.5` say; undefined before it has let us in for the first time. */
  readonly brokerVersion: string | undefined;
  /**
   * Resolves when the connection is open for the first time, however long the broker stays away until then. The first
   * deliveries may come a moment earlier.
   *
   * Rejects with `BrokerRefusedError` when the broker does not let us in, with `TopologyMismatchError` when the topology
   * is there in another form, and with `BrokerUnavailableError` when the connection is closed. In the first two cases
   * waiting would not help, so the connection is closed; once it was open, it is tried again instead. Unhandled, these
   * two end the process, like any rejection.
   */
  readonly opened: Promise<void>;
  /** The hooks for logs and metrics. */
  readonly events: EventEmitter<MessagingEvents>;
  /**
   * Everything else that amqplib can do: keeps a confirm channel, which is opened and set up on every (re)connect, in
   * the order of these calls, and again when it alone is lost.
   *
   * @param until ends that: the channel is closed, and not opened again
   * @returns when it is set up for the first time; rejects as `opened` does
   */
  keepChannel(setup: ChannelSetup, until?: AbortSignal): Promise<void>;
  /** Sends what is under way and waits for its confirms, then closes; a broker that is silent is given 5 seconds. */
  close(): Promise<void>;
}

/**
 * RabbitMQ says so while shaking hands: wrong user or password (403), unknown or forbidden vhost (530). Of the latter
 * amqplib tells no more than that the connection was closed instead of opened.
 */
const refusal = /ACCESS[-_]REFUSED|NOT[-_]ALLOWED|Expected ConnectionOpenOk; got <ConnectionClose/;

const CLOSE_TIMEOUT_MS = 5_000;
const CONNECT_TIMEOUT_MS = 10_000;

const scalars = z.object({ maxReconnectDelayMs: milliseconds.default(2_000) });

/**
 * Starts connecting, and goes on until it is closed or refused. Recovery is amqplib's own, with full jitter.
 *
 * @throws TypeError when the URL is none of AMQP's, or another option is wrong
 */
export function connect(options: ConnectOptions): Connection {
  const { name = `node-${process.pid}`, topology = {}, tls } = options;
  const { maxReconnectDelayMs } = parseOptions(scalars, options);
  const { url, credentials, vhost } = parseBrokerUrl(options.url);
  const events = new EventEmitter<MessagingEvents>().setMaxListeners(0);
  const { promise: opened, resolve: isOpen, reject: isNotOpen } = withResolvers();
  /** Ends the socket, in whatever state it is, and amqplib hears of it. */
  const over = new AbortController();
  let model: ChannelModel | null = null;
  let everOpen = false;
  /** The broker has let us in: what fails now is no longer for want of credentials. */
  let inside = false;
  let closed = false;
  let blocked: string | null = null;
  /** Why there is no connection. */
  let away: string | undefined;
  let state: ConnectionState = 'connecting';
  let reason: string | undefined;
  let brokerVersion: string | undefined;

  const pauseMs = (attempt: number): number => Math.random() * Math.min(maxReconnectDelayMs, 100 * 2 ** (attempt - 1));
  const restore = (on: ChannelModel): Promise<void> => declareTopology(on, topology);
  const channels = keepChannels({
    restore,
    pauseMs,
    onChange: tell,
    onLost: (because) => tellChannelLost(events, because),
  });

  function stateNow(): [ConnectionState, reason?: string] {
    if (closed) return ['closed', away];
    if (!channels.open) return ['connecting', away];
    if (channels.fault !== undefined) return ['connecting', channels.fault];
    return blocked === null ? ['open'] : ['blocked', blocked];
  }

  function tell(): void {
    const [next, because] = stateNow();
    if (state === next && reason === because) return; // never one line a retry
    state = next;
    reason = because;
    tellState(events, next, because);
  }

  async function setup(opening: ChannelModel): Promise<void> {
    model = opening;
    brokerVersion = opening.connection.serverProperties.version;
    inside = true;
    blocked = null;
    opening.on('error', () => undefined); // 'close' follows and carries the reason
    writeTogether((opening.connection as unknown as { stream: Socket }).stream);
    const block = (because: string | null): void => {
      blocked = because;
      tell();
    };
    opening.on('blocked', block).on('unblocked', () => block(null));
    opening.on('close', (error?: Error) => {
      if (channels.open) away = error ? describe(error) : 'connection closed';
      channels.lost(opening);
      forgetSocket();
    });
    await channels.openOn(opening);
    everOpen = true;
    isOpen();
  }

  function end(error: Error): void {
    closed = true;
    channels.abandon(error);
    tell();
    isNotOpen(error);
  }

  /** Node.js leaves the listener of each socket on the signal, and the socket with it. */
  function forgetSocket(): void {
    for (const listener of getEventListeners(over.signal, 'abort')) {
      over.signal.removeEventListener('abort', listener as () => void);
    }
  }

  function failed(error: Error): void {
    forgetSocket();
    if (closed) return;
    away = describe(error);
    const refusedEntry = !inside && refusal.test(away);
    inside = false;
    if (everOpen || !(refusedEntry || error instanceof TopologyMismatchError)) return tell();
    const wrong = /ACCESS[-_]REFUSED/.test(away)
      ? 'user or password is wrong'
      : `the vhost ${vhost} is not there, not ours, or full`;
    const why = `${wrong} (${away})`;
    const refused = new BrokerRefusedError(`the broker does not let us in: ${why}`, { cause: error });
    end(error instanceof TopologyMismatchError ? error : refused);
    void stop().then(() => over.abort());
  }

  const socketOptions = { ...tls, signal: over.signal };
  const recovering = amqp.connect(url, {
    ...socketOptions,
    credentials,
    noDelay: true, // with Nagle's algorithm on, a small message waits up to 40 ms
    timeout: CONNECT_TIMEOUT_MS,
    clientProperties: { connection_name: name },
    recovery: { waitForConnect: false, calculateDelay: pauseMs, setup },
  });
  void recovering.then((recovery) => recovery.on('error', () => undefined).on('connect-failed', failed));
  const stop = async (): Promise<void> => (await recovering).close();

  let closing: Promise<void> | undefined;
  async function close(): Promise<void> {
    if (closed) return; // refused
    const last = model;
    const lost = new Promise((resolve) => last?.on('close', resolve));
    void opened.catch(() => undefined); // whoever closes it knows
    away = undefined;
    end(new BrokerUnavailableError('the connection is closed'));
    await turn(); // verdicts reached by now are still sent
    // In this order: the connection's own goodbye overtakes what its channels have yet to send.
    const inOrder = channels.close().then(stop);
    await Promise.race([inOrder, lost, delay(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
    void stop();
    over.abort();
  }

  return {
    get state() {
      return state;
    },
    get reason() {
      return reason;
    },
    get brokerVersion() {
      return brokerVersion;
    },
    opened,
    events,
    keepChannel: channels.add,
    close: () => (closing ??= close()),
  };
}

function describe(error: Error & { code?: unknown }): string {
  return error.message || String(error.code ?? error.name); // an AggregateError of addresses has no message
}

/** `Promise.withResolvers`, which Node.js 20 does not have. */
function withResolvers(): { promise: Promise<void>; resolve: () => void; reject: (error: Error) => void } {
  let resolve!: () => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<void>((...both) => ([resolve, reject] = both));
  return { promise, resolve, reject };
}
