import type { ConfirmChannel } from 'amqplib';
import type { Connection } from './connection.ts';

export interface CurrentChannel {
  /** Resolves when there has been a channel, or the connection was closed before. */
  readonly opened: Promise<void>;
  /** The channel, or null while there is none. */
  readonly now: ConfirmChannel | null;
}

/** Keeps a channel of its own on the connection, for questions to the broker. */
export function currentChannel(connection: Connection): CurrentChannel {
  let now: ConfirmChannel | null = null;
  const opened = connection
    .keepChannel(async (channel) => {
      channel.on('close', () => {
        if (now === channel) now = null;
      });
      now = channel;
    })
    .catch(() => undefined); // closed before it was open: `connection.opened` tells
  return {
    opened,
    get now() {
      return now;
    },
  };
}
