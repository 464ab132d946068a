import { setTimeout as delay } from 'node:timers/promises';
import amqp, { type ChannelModel, type ConfirmChannel } from 'amqplib';

export type ConnectionState = 'connecting' | 'open' | 'blocked' | 'closed';

export interface ConnectionOptions {
  /** `amqp://user:password@host:port/vhost`; `?heartbeat=` in seconds, 10 unless given. */
  url: string;
  /** Shown on RabbitMQ's management page. */
  name: string;
  /** Longest wait between two attempts to connect, in milliseconds; waits are drawn from 0 to it. @default 2_000 */
  maxReconnectDelayMs?: number;
  /** Told once of each change of state, with the reason where there is one. */
  onStateChange?: (state: ConnectionState, reason?: string) => void;
  /** The broker refuses these credentials or this vhost before it ever let us in: waiting will not help. */
  onRefused?: (error: Error) => void;
}

/** Prepares a channel that has just been opened: declares, subscribes, keeps a reference for publishing. */
export type ChannelSetup = (channel: ConfirmChannel) => Promise<void>;

/** A connection to RabbitMQ that comes back by itself. */
export interface Connection {
  readonly state: ConnectionState;
  /**
   * Keeps a confirm channel open: opened and set up on every (re)connect, in the order of these calls, and again when
   * it alone is lost. Resolves when the first set-up is done; while the broker is away, that is when it is back.
   *
   * @param onLost called when the channel is gone; its unacknowledged deliveries go back to their queues
   */
  keepChannel(setup: ChannelSetup, onLost?: () => void): Promise<void>;
  /** Closes channels and socket. Nothing is sent afterwards. */
  close(): Promise<void>;
}

/** RabbitMQ says so while shaking hands: wrong user or password (403), unknown or forbidden vhost (530). */
const refusal = /ACCESS[-_]REFUSED|NOT[-_]ALLOWED|\b(403|530)\b/;

/** Starts connecting and returns at once. Recovery is amqplib's own, with full jitter. */
export async function openConnection(options: ConnectionOptions): Promise<Connection> {
  const { url, name, maxReconnectDelayMs = 2_000, onStateChange, onRefused } = options;
  const kept: ((opened: ChannelModel) => Promise<void>)[] = [];
  let state: ConnectionState = 'connecting';
  let reason: string | undefined;
  let model: ChannelModel | null = null;
  let everOpen = false;

  function enter(next: ConnectionState, because?: string): void {
    if (state === next && reason === because) return; // never one line a retry
    state = next;
    reason = because;
    onStateChange?.(next, because);
  }

  const jitter = (attempt: number): number => Math.random() * Math.min(maxReconnectDelayMs, 100 * 2 ** (attempt - 1));

  const recovering = await amqp.connect(withHeartbeat(url), {
    noDelay: true, // with Nagle's algorithm on, a small message waits up to 40 ms
    timeout: 10_000,
    clientProperties: { connection_name: name },
    recovery: {
      waitForConnect: false,
      calculateDelay: jitter,
      async setup(opened: ChannelModel) {
        opened.on('error', () => undefined); // 'close' follows and carries the reason
        for (const open of kept) await open(opened);
      },
    },
  });
  recovering.on('error', () => undefined);
  recovering.on('connect', (opened) => {
    model = opened;
    everOpen = true;
    enter('open');
  });
  recovering.on('disconnect', (error) => {
    model = null;
    enter('connecting', error.message);
  });
  recovering.on('connect-failed', (error) => {
    enter('connecting', error.message);
    if (everOpen || !refusal.test(error.message)) return;
    void recovering.close();
    onRefused?.(error);
  });
  recovering.on('blocked', (because) => enter('blocked', because));
  recovering.on('unblocked', () => enter('open'));

  /** A channel that is lost while its connection stays is opened again on it. */
  async function reopen(open: (on: ChannelModel) => Promise<void>, on: ChannelModel): Promise<void> {
    for (let attempt = 1; on === model; attempt += 1) {
      try {
        await open(on);
        return enter('open');
      } catch (error) {
        enter('connecting', (error as Error).message);
        await delay(jitter(attempt));
      }
    }
  }

  return {
    get state() {
      return state;
    },
    keepChannel(setup, onLost) {
      return new Promise((resolve) => {
        const open = async (on: ChannelModel): Promise<void> => {
          await openChannel(on, setup, () => {
            onLost?.();
            void reopen(open, on);
          });
          resolve();
        };
        kept.push(open);
        if (model) void reopen(open, model);
      });
    },
    async close() {
      model = null;
      enter('closed');
      await recovering.close();
    },
  };
}

async function openChannel(model: ChannelModel, setup: ChannelSetup, onLost: () => void): Promise<void> {
  const channel = await model.createConfirmChannel();
  let ready = false;
  let closed: Error | null = null;
  channel.on('error', (error) => (closed = error)); // 'close' follows
  channel.on('close', () => {
    closed ??= new Error('channel closed');
    if (ready) onLost();
  });
  await setup(channel);
  if (closed) throw closed;
  ready = true;
}

function withHeartbeat(url: string): string {
  const parsed = new URL(url);
  if (!parsed.searchParams.has('heartbeat')) parsed.searchParams.set('heartbeat', '10');
  return parsed.href;
}
