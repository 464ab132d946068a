import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';
import amqp, { type ChannelModel, type ConfirmChannel } from 'amqplib';
import { openChannel, type ChannelSetup } from './channel.ts';

export type ConnectionState = 'connecting' | 'open' | 'blocked' | 'closed';

export interface ConnectionOptions {
  /** `amqp://user:password@host:port/vhost`; `?heartbeat=` in seconds, 10 unless given. */
  url: string;
  /** Shown on RabbitMQ's management page. */
  name: string;
  /** Longest wait between two attempts to connect, in milliseconds; waits are drawn from 0 to it. @default 2_000 */
  maxReconnectDelayMs?: number;
  /** Told once of each change of state or of its reason, where there is one: not of each try that fails alike. */
  onStateChange?: (state: ConnectionState, reason?: string) => void;
  /**
   * The broker refuses these credentials, this vhost or what is to be declared before it ever let us in: waiting will
   * not help, so the connection is closed.
   */
  onRefused?: (error: Error) => void;
}

/** A connection to RabbitMQ that comes back by itself. */
export interface Connection {
  /** `connecting` too while a channel that was lost alone can't be opened again. */
  readonly state: ConnectionState;
  /**
   * Keeps a confirm channel open: opened and set up on every (re)connect, in the order of these calls, and again when
   * it alone is lost. Resolves when the first set-up is done; while the broker is away, that is when it is back.
   */
  keepChannel(setup: ChannelSetup): Promise<void>;
  /** Sends what is under way, then closes channels and socket; a broker that doesn't answer is given 5 seconds. */
  close(): Promise<void>;
}

interface KeptChannel {
  open(on: ChannelModel): Promise<void>;
  /** Called whenever it has been opened and is of use. */
  ready(): void;
}

/**
 * RabbitMQ says so while shaking hands: wrong user or password (403), unknown or forbidden vhost (530). Of the latter
 * amqplib tells no more than that the connection was closed instead of opened.
 */
const refusal = /ACCESS[-_]REFUSED|NOT[-_]ALLOWED|Expected ConnectionOpenOk; got <ConnectionClose/;

const CLOSE_TIMEOUT_MS = 5_000;

/** Starts connecting and returns at once. Recovery is amqplib's own, with full jitter. */
export async function openConnection(options: ConnectionOptions): Promise<Connection> {
  const { url, name, maxReconnectDelayMs = 2_000, onStateChange, onRefused } = options;
  const kept: KeptChannel[] = [];
  const channels = new Set<ConfirmChannel>();
  /** The channels that were lost alone and can't be opened again, each with the reason. */
  const faults = new Map<KeptChannel, string>();
  /** The latest connection. */
  let model: ChannelModel | null = null;
  /** The same once every channel is set up, and until it is lost. */
  let live: ChannelModel | null = null;
  /** The latest connection lost a channel before every other was set up. */
  let spoiled = false;
  let everOpen = false;
  let closed = false;
  let blocked: string | null = null;
  let away: string | undefined;
  let state: ConnectionState = 'connecting';
  let reason: string | undefined;

  function stateNow(): [ConnectionState, reason?: string] {
    if (closed) return ['closed', away];
    if (!live) return ['connecting', away];
    const [fault] = faults.values();
    if (fault !== undefined) return ['connecting', fault];
    return blocked === null ? ['open'] : ['blocked', blocked];
  }

  function tell(): void {
    const [next, because] = stateNow();
    if (state === next && reason === because) return; // never one line a retry
    state = next;
    reason = because;
    onStateChange?.(next, because);
  }

  async function setup(opened: ChannelModel): Promise<void> {
    model = opened;
    spoiled = false;
    blocked = null;
    opened.on('error', () => undefined); // 'close' follows and carries the reason
    const block = (because: string | null): void => {
      blocked = because;
      tell();
    };
    opened.on('blocked', block).on('unblocked', () => block(null));
    opened.on('close', (error?: Error) => {
      if (model === opened) spoiled = true;
      if (live !== opened) return;
      live = null;
      faults.clear();
      away = error ? describe(error) : 'connection closed';
      tell();
    });
    // Grows while it is walked: a channel asked for meanwhile has its turn here, one asked for later finds `live`.
    for (const each of kept) {
      if (closed) throw new Error('closed while connecting');
      await each.open(opened);
    }
    if (spoiled) throw new Error('a channel was lost while the others were set up');
    live = opened;
    everOpen = true;
    away = undefined;
    tell();
    for (const each of kept) each.ready();
  }

  const jitter = (attempt: number): number => Math.random() * Math.min(maxReconnectDelayMs, 100 * 2 ** (attempt - 1));

  const recovering = await amqp.connect(withHeartbeat(url), {
    noDelay: true, // with Nagle's algorithm on, a small message waits up to 40 ms
    timeout: 10_000,
    clientProperties: { connection_name: name },
    recovery: { waitForConnect: false, calculateDelay: jitter, setup },
  });
  recovering.on('error', () => undefined);
  recovering.on('connect-failed', (error) => {
    if (closed) return;
    away = describe(error);
    const refused = !everOpen && refusal.test(away);
    closed = refused;
    tell();
    if (!refused) return;
    void recovering.close();
    onRefused?.(error);
  });
  /** A channel that is lost while its connection stays is opened again on it. */
  async function reopen(each: KeptChannel, on: ChannelModel): Promise<void> {
    await Promise.resolve(); // where the connection is lost, its channels are told first
    for (let attempt = 1; on === live; attempt += 1) {
      try {
        await each.open(on);
        faults.delete(each);
        tell();
        return each.ready();
      } catch (error) {
        if (on !== live) return;
        faults.set(each, describe(error as Error));
        tell();
      }
      await delay(jitter(attempt));
    }
  }

  return {
    get state() {
      return state;
    },
    keepChannel(setup) {
      return new Promise((resolve) => {
        const each: KeptChannel = {
          async open(on) {
            const channel = await openChannel(on, setup, () => {
              channels.delete(channel);
              if (on === live) void reopen(each, on);
              else if (on === model) spoiled = true;
            });
            channels.add(channel);
          },
          ready: resolve,
        };
        kept.push(each);
        if (live) void reopen(each, live);
      });
    },
    async close() {
      if (closed) return;
      closed = true;
      live = null;
      away = undefined;
      tell();
      await turn(); // verdicts reached by now are still sent
      const last = model;
      const lost = new Promise((resolve) => last?.on('close', resolve));
      const inOrder = async (): Promise<void> => {
        // The connection's own goodbye overtakes what its channels have yet to send.
        await Promise.allSettled([...channels].map((channel) => channel.close()));
        await recovering.close();
      };
      await Promise.race([inOrder(), lost, delay(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
      void recovering.close();
      if (last) socketOf(last).destroy();
    },
  };
}

function describe(error: Error & { code?: unknown }): string {
  return error.message || String(error.code ?? error.name); // an AggregateError of addresses has no message
}

function socketOf({ connection }: ChannelModel): { destroy(): void } {
  return (connection as unknown as { stream: { destroy(): void } }).stream;
}

function withHeartbeat(url: string): string {
  const parsed = new URL(url);
  if (!parsed.searchParams.has('heartbeat')) parsed.searchParams.set('heartbeat', '10');
  return parsed.href;
}
