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

/** What {@link connect} needs. Only `url` is required. */
export interface ConnectOptions {
  /** `amqp://user:password@host:port/vhost`, or `amqps:`. `?heartbeat=` sets the heartbeat in seconds. @default 10 */
  url: string;
  /** The connection's name on RabbitMQ's management page. @default node-<process id> */
  name?: string;
  /**
   * Exchanges and queues that are declared on every connect and reconnect, before any channel opens. @default nothing
   */
  topology?: Topology;
  /** TLS options for `amqps:`, such as the `ca` that signed the broker's certificate. @default Node.js's own */
  tls?: SecureContextOptions;
  /**
   * Longest pause between two attempts to connect, in milliseconds. Each pause is drawn from 0 to it. @default 2_000
   */
  maxReconnectDelayMs?: number;
}

/** A connection to RabbitMQ that reconnects by itself. {@link connect} makes it. */
export interface Connection {
  /** It is `connecting` also while a channel was lost alone and can't be opened again. */
  readonly state: ConnectionState;
  /** Why the connection is not open; undefined while it is. */
  readonly reason: string | undefined;
  /** The broker's version, such as `4.0.5`; undefined before the first connection. */
  readonly brokerVersion: string | undefined;
  /**
   * Resolves when the connection is open for the first time, however long the broker is away. The first deliveries may
   * come a moment earlier.
   *
   * Rejects with `BrokerRefusedError` if RabbitMQ refuses the credentials or the vhost, and with
   * `TopologyMismatchError` if the topology exists in another form. Both close the connection, because waiting would
   * not help; after the first opening they are retried instead. Rejects with `BrokerUnavailableError` if the connection
   * is closed before it opens. If no code handles the first two, they end the process as unhandled rejections.
   */
  readonly opened: Promise<void>;
  /** The hooks for logs and metrics. */
  readonly events: EventEmitter<MessagingEvents>;
  /**
   * Gives access to all of amqplib: keeps a confirm channel for the caller. The channel is opened and set up on every
   * connect and reconnect, in the order of these calls, and again when it is lost alone.
   *
   * @param until closes the channel when it fires; the channel is not opened again
   * @returns a promise that resolves when the channel is set up for the first time, and rejects as `opened` does
   */
  keepChannel(setup: ChannelSetup, until?: AbortSignal): Promise<void>;
  /**
   * Closes the connection after it has sent the pending messages and received their confirms. It waits at most 5
   * seconds for a silent broker.
   */
  close(): Promise<void>;
}

/**
 * What RabbitMQ replies during the handshake: wrong user or password (403), unknown or forbidden vhost (530). For 530,
 * amqplib says only that the broker closed the connection instead of opening it.
 */
const refusal = /ACCESS[-_]REFUSED|NOT[-_]ALLOWED|Expected ConnectionOpenOk; got <ConnectionClose/;

const CLOSE_TIMEOUT_MS = 5_000;
const CONNECT_TIMEOUT_MS = 10_000;

const scalars = z.object({ maxReconnectDelayMs: milliseconds.default(2_000) });

/**
 * Connects to RabbitMQ, and reconnects until `close` is called or the broker refuses the connection. It returns at
 * once; `opened` tells when the connection is open. Recovery is amqplib's own, with full jitter.
 *
 * @throws TypeError when the URL is no AMQP URL, or another option is wrong
 * @example
 * ```ts
 * const connection = connect({ url: 'amqp://localhost', topology: { queues: { orders: {} } } });
 * await connection.opened;
 * ```
 */
export function connect(options: ConnectOptions): Connection {
  const { name = `node-${process.pid}`, topology = {}, tls } = options;
  const { maxReconnectDelayMs } = parseOptions(scalars, options);
  const { url, credentials, vhost } = parseBrokerUrl(options.url);
  const events = new EventEmitter<MessagingEvents>().setMaxListeners(0);
  const { promise: opened, resolve: isOpen, reject: isNotOpen } = withResolvers();
  /** Its signal destroys the socket in any state, and amqplib reports that. */
  const over = new AbortController();
  let model: ChannelModel | null = null;
  let everOpen = false;
  /** Whether the broker accepted the credentials: a failure after that is no refusal. */
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
    if (state === next && reason === because) return; // a retry that fails for the same reason is not reported again
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

  /** Node.js leaves each socket's listener on the signal, which would keep the socket in memory. */
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
      : `the vhost ${vhost} does not exist, is forbidden, or is full`;
    const why = `${wrong} (${away})`;
    const refused = new BrokerRefusedError(`the broker refused the connection: ${why}`, { cause: error });
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
    if (closed) return; // the broker refused the connection
    const last = model;
    const lost = new Promise((resolve) => last?.on('close', resolve));
    void opened.catch(() => undefined); // the caller of close needs no rejection
    away = undefined;
    end(new BrokerUnavailableError('the connection is closed'));
    await turn(); // acknowledgements of this turn are still sent
    // Channels close first: the connection's close frame would overtake what they still have to send.
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
