import { setTimeout as delay } from 'node:timers/promises';
import type { ChannelModel, ConfirmChannel } from 'amqplib';

/** Prepares a channel that has just been opened: subscribes, keeps a reference for publishing. */
export type ChannelSetup = (channel: ConfirmChannel) => Promise<void>;

/** Channels that are opened on every new connection, and on the same one again when they are lost alone. */
export interface KeptChannels {
  /**
   * @param until ends the keeping: the channel is closed, and not opened again
   * @returns when the channel has been opened and set up for the first time; rejects with what `abandon` is given
   */
  add(setup: ChannelSetup, until?: AbortSignal): Promise<void>;
  /**
   * Restores and then opens all of them on a new connection, in the order in which they were added. One that can't be set
   * up does not hold up the others: it is tried again. Throws when restoring fails or the connection is lost meanwhile.
   */
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
  /** What has to be done on a new connection, and before a lost channel is opened again: what it needs may be gone too. */
  restore(model: ChannelModel): Promise<void>;
  /** Wait before another attempt, in milliseconds. */
  pauseMs(attempt: number): number;
  /** Called when `open` or `fault` may have changed. */
  onChange(): void;
  /** Called when a channel is lost although its connection is open and it is still wanted. */
  onLost(reason: string): void;
}

interface KeptChannel {
  open(on: ChannelModel): Promise<void>;
  /** Called whenever it has been opened and is of use. */
  ready(): void;
  abandon(error: Error): void;
}

export function keepChannels({ restore, pauseMs, onChange, onLost }: KeptChannelsOptions): KeptChannels {
  const kept = new Set<KeptChannel>();
  const channels = new Set<ConfirmChannel>();
  const faults = new Map<KeptChannel, string>();
  /** The latest connection, until it is lost. */
  let latest: ChannelModel | null = null;
  /** The same once every channel has had its turn. */
  let live: ChannelModel | null = null;
  /** Those that were lost, or could not be set up, while the others had their turn. */
  const spoiled = new Set<KeptChannel>();
  let abandoned: Error | null = null;

  async function openAgain(each: KeptChannel, on: ChannelModel): Promise<void> {
    await Promise.resolve(); // where the connection is lost, its channels are told first
    for (let attempt = 1; on === live && kept.has(each); attempt += 1) {
      try {
        await restore(on);
        await each.open(on);
        faults.delete(each);
        onChange();
        return each.ready();
      } catch (error) {
        if (on !== live || !kept.has(each)) return;
        faults.set(each, (error as Error).message);
        onChange();
      }
      await delay(pauseMs(attempt), undefined, { ref: false });
    }
  }

  return {
    add(setup, until) {
      return new Promise((resolve, reject) => {
        if (abandoned) return reject(abandoned);
        let current: ConfirmChannel | undefined;
        const close = (): void => void current?.close().catch(() => undefined); // closed already: the same outcome
        const each: KeptChannel = {
          async open(on) {
            const channel = await openChannel(on, setup, ({ message }) => {
              channels.delete(channel);
              if (!kept.has(each)) return;
              // A lost connection tells its channels first, and one that is closed by us closes them.
              queueMicrotask(() => on === latest && !abandoned && onLost(message));
              if (on === live) void openAgain(each, on);
              else if (on === latest) spoiled.add(each);
            });
            channels.add(channel);
            current = channel;
            if (until?.aborted) close();
          },
          ready: resolve,
          abandon: reject,
        };
        kept.add(each);
        until?.addEventListener('abort', () => {
          kept.delete(each);
          if (faults.delete(each)) onChange();
          close();
          resolve();
        });
        if (live) void openAgain(each, live);
      });
    },
    async openOn(model) {
      latest = model;
      spoiled.clear();
      await restore(model);
      // Grows while it is walked: a channel asked for meanwhile has its turn here, one asked for later finds `live`.
      for (const each of kept) {
        if (abandoned) throw abandoned;
        await each.open(model).catch((error: Error) => {
          if (model !== latest) throw error;
          spoiled.add(each);
          faults.set(each, error.message);
        });
      }
      if (model !== latest) throw new Error('the connection was lost while it was set up');
      live = model;
      onChange();
      for (const each of kept) {
        if (spoiled.has(each)) void openAgain(each, model);
        else each.ready();
      }
    },
    lost(model) {
      if (model === latest) latest = null;
      faults.clear();
      if (model !== live) return;
      live = null;
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
          const closed = new Promise((resolve) => channel.once('close', resolve));
          await channel.waitForConfirms().catch(() => undefined); // who published it is told
          await channel.close().catch(() => undefined); // it is closing already, with something to send perhaps
          await closed;
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
 * @param onLost called once with the reason when the channel is gone, had it been set up
 * @throws what opening or setting up failed with; then no channel is left behind
 */
async function openChannel(
  model: ChannelModel,
  setup: ChannelSetup,
  onLost: (reason: Error) => void,
): Promise<ConfirmChannel> {
  const channel = await model.createConfirmChannel();
  let ready = false;
  let closed: Error | null = null;
  channel.on('error', (error) => (closed = error)); // 'close' follows
  channel.on('close', () => {
    closed ??= new Error('channel closed');
    if (ready) onLost(closed);
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
