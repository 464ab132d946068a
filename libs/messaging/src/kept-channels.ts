import { setTimeout as delay } from 'node:timers/promises';
import type { ChannelModel, ConfirmChannel } from 'amqplib';

/** Prepares a channel that has just been opened: subscribes, keeps a reference for publishing. */
export type ChannelSetup = (channel: ConfirmChannel) => Promise<void>;

/** Channels that are opened on every new connection, and on the same one again when they are lost alone. */
export interface KeptChannels {
  /** @returns when the channel has been opened and set up for the first time; rejects with what `abandon` is given */
  add(setup: ChannelSetup): Promise<void>;
  /** Opens and sets up all of them, in the order in which they were added; throws when that fails. */
  openOn(model: ChannelModel): Promise<void>;
  /** The connection is gone, and its channels with it. */
  lost(model: ChannelModel): void;
  /** There will be no more connection. */
  abandon(error: Error): void;
  /** Sends what is under way and waits for what is to be confirmed, then closes. */
  close(): Promise<void>;
  /** Whether they are all open, or would be but for `fault`. */
  readonly open: boolean;
  /** Why one that was lost alone can't be opened again. */
  readonly fault: string | undefined;
}

export interface KeptChannelsOptions {
  /** What has to be done before a lost channel is opened again: what it needs may be gone too. */
  restore(model: ChannelModel): Promise<void>;
  /** Wait before another attempt, in milliseconds. */
  pauseMs(attempt: number): number;
  /** Called when `open` or `fault` may have changed. */
  onChange(): void;
}

interface KeptChannel {
  open(on: ChannelModel): Promise<void>;
  /** Called whenever it has been opened and is of use. */
  ready(): void;
  abandon(error: Error): void;
}

export function keepChannels({ restore, pauseMs, onChange }: KeptChannelsOptions): KeptChannels {
  const kept: KeptChannel[] = [];
  const channels = new Set<ConfirmChannel>();
  const faults = new Map<KeptChannel, string>();
  let latest: ChannelModel | null = null;
  /** The same once every channel is set up, and until it is lost. */
  let live: ChannelModel | null = null;
  /** The latest connection lost a channel before every other was set up. */
  let spoiled = false;
  let abandoned: Error | null = null;

  async function openAgain(each: KeptChannel, on: ChannelModel): Promise<void> {
    await Promise.resolve(); // where the connection is lost, its channels are told first
    for (let attempt = 1; on === live; attempt += 1) {
      try {
        await restore(on);
        await each.open(on);
        faults.delete(each);
        onChange();
        return each.ready();
      } catch (error) {
        if (on !== live) return;
        faults.set(each, (error as Error).message);
        onChange();
      }
      await delay(pauseMs(attempt));
    }
  }

  return {
    add(setup) {
      return new Promise((resolve, reject) => {
        if (abandoned) return reject(abandoned);
        const each: KeptChannel = {
          async open(on) {
            const channel = await openChannel(on, setup, () => {
              channels.delete(channel);
              if (on === live) void openAgain(each, on);
              else if (on === latest) spoiled = true;
            });
            channels.add(channel);
          },
          ready: resolve,
          abandon: reject,
        };
        kept.push(each);
        if (live) void openAgain(each, live);
      });
    },
    async openOn(model) {
      latest = model;
      spoiled = false;
      // Grows while it is walked: a channel asked for meanwhile has its turn here, one asked for later finds `live`.
      for (const each of kept) {
        if (abandoned) throw abandoned;
        await each.open(model);
      }
      if (spoiled) throw new Error('a channel was lost while the others were set up');
      live = model;
      onChange();
      for (const each of kept) each.ready();
    },
    lost(model) {
      if (model === latest) spoiled = true;
      if (model !== live) return;
      live = null;
      faults.clear();
      onChange();
    },
    abandon(error) {
      abandoned = error;
      live = null;
      for (const each of kept) each.abandon(error);
    },
    async close() {
      // One that is lost meanwhile has nothing left to send.
      await Promise.allSettled(
        [...channels].map(async (channel) => {
          await channel.waitForConfirms().catch(() => undefined); // who published it is told
          await channel.close();
        }),
      );
    },
    get open() {
      return live !== null;
    },
    get fault() {
      return faults.values().next().value;
    },
  };
}

/**
 * @param onLost called once when the channel is gone, had it been set up
 * @throws what opening or setting up failed with; then no channel is left behind
 */
async function openChannel(model: ChannelModel, setup: ChannelSetup, onLost: () => void): Promise<ConfirmChannel> {
  const channel = await model.createConfirmChannel();
  let ready = false;
  let closed: Error | null = null;
  channel.on('error', (error) => (closed = error)); // 'close' follows
  channel.on('close', () => {
    closed ??= new Error('channel closed');
    if (ready) onLost();
  });
  try {
    await setup(channel);
  } catch (error) {
    if (!closed) await channel.close().catch(() => undefined); // closing already: the same outcome
    throw error;
  }
  if (closed) throw closed;
  ready = true;
  return channel;
}
