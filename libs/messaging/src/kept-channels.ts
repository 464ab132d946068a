import { setTimeout as delay } from 'node:timers/promises';
import type { ChannelModel, ConfirmChannel } from 'amqplib';

/** Prepares a channel that has just opened: subscribes, or keeps the channel for publishing. */
export type ChannelSetup = (channel: ConfirmChannel) => Promise<void>;

/** Channels that open on every new connection, and again on the same connection when they are lost alone. */
export interface KeptChannels {
  /**
   * Adds a channel.
   *
   * @param until closes the channel when it fires; the channel is not opened again
   * @returns a promise that resolves when the channel is set up for the first time; rejects with the error of `abandon`
   */
  add(setup: ChannelSetup, until?: AbortSignal): Promise<void>;
  /**
   * Restores the topology of a new connection, then opens all channels in the order in which they were added. A channel
   * that can't be set up is retried and does not delay the others. Throws when restoring fails or the connection is
   * lost.
   */
  openOn(model: ChannelModel): Promise<void>;
  /** Says that this connection and its channels are gone. */
  lost(model: ChannelModel): void;
  /** Says that there will be no more connection: pending `add` calls reject with this error. */
  abandon(error: Error): void;
  /** Closes the channels after they have sent their messages and received the confirms. */
  close(): Promise<void>;
  /** Whether all channels are open, except the one that `fault` is about. */
  readonly open: boolean;
  /** Why a channel that was lost alone can't be opened again. */
  readonly fault: string | undefined;
}

/** What {@link keepChannels} needs from the connection. */
export interface KeptChannelsOptions {
  /**
   * Declares the topology: on a new connection, and before a lost channel opens again, because its queue may be gone.
   */
  restore(model: ChannelModel): Promise<void>;
  /** How long to wait before another attempt, in milliseconds. */
  pauseMs(attempt: number): number;
  /** Is called when `open` or `fault` may have changed. */
  onChange(): void;
  /** Is called when a channel that is still wanted is lost while its connection stays open. */
  onLost(reason: string): void;
}

interface KeptChannel {
  open(on: ChannelModel): Promise<void>;
  /** Is called each time the channel is open and set up. */
  ready(): void;
  abandon(error: Error): void;
}

/** Makes the store of a connection's channels. */
export function keepChannels({ restore, pauseMs, onChange, onLost }: KeptChannelsOptions): KeptChannels {
  const kept = new Set<KeptChannel>();
  const channels = new Set<ConfirmChannel>();
  const faults = new Map<KeptChannel, string>();
  /** The latest connection, until it is lost. */
  let latest: ChannelModel | null = null;
  /** The same connection, after every channel was opened or failed to open. */
  let live: ChannelModel | null = null;
  /** Channels that were lost, or could not be set up, before the connection became `live`. */
  const spoiled = new Set<KeptChannel>();
  let abandoned: Error | null = null;

  async function openAgain(each: KeptChannel, on: ChannelModel): Promise<void> {
    await Promise.resolve(); // a lost connection closes its channels first
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
        const close = (): void => void current?.close().catch(() => undefined); // it may be closed already
        const each: KeptChannel = {
          async open(on) {
            const channel = await openChannel(on, setup, ({ message }) => {
              channels.delete(channel);
              if (!kept.has(each)) return;
              // A lost connection closes its channels before itself, and so does `close`. Neither is reported.
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
      // The set may grow during this loop. A channel added in the loop opens here, a later one finds `live`.
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
      // A channel that is lost meanwhile has nothing left to send.
      await Promise.allSettled(
        [...channels].map(async (channel) => {
          const closed = new Promise((resolve) => channel.once('close', resolve));
          await channel.waitForConfirms().catch(() => undefined); // the publisher rejects its call
          await channel.close().catch(() => undefined); // it is closing already, and may still send
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
 * @param onLost is called once, with the reason, when a channel that was set up closes
 * @throws the error of opening or setup; the channel is closed then
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
    if (!closed) await channel.close().catch(() => undefined); // it may be closing already
    throw error;
  }
  if (closed) throw closed;
  ready = true;
  return channel;
}
