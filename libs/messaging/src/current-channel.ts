import type { ConfirmChannel } from 'amqplib';
import type { Connection } from './connection.ts';

/** A channel that is replaced when it is lost. */
export interface CurrentChannel {
  /** Resolves when the first channel is open, or when the connection closes before that. */
  readonly opened: Promise<void>;
  /** The channel, or null while there is none. */
  readonly now: ConfirmChannel | null;
}

/** Keeps a channel on the connection for requests to the broker, such as passive declarations. */
export function currentChannel(connection: Connection): CurrentChannel {
  let now: ConfirmChannel | null = null;
  const opened = connection
    .keepChannel(async (channel) => {
      channel.on('close', () => {
        if (now === channel) now = null;
      });
      now = channel;
    })
    .catch(() => undefined); // the connection closed before it was open: `connection.opened` rejects
  return {
    opened,
    get now() {
      return now;
    },
  };
}
