import type { ChannelModel, ConfirmChannel } from 'amqplib';

/** Prepares a channel that has just been opened: declares, subscribes, keeps a reference for publishing. */
export type ChannelSetup = (channel: ConfirmChannel) => Promise<void>;

/**
 * Opens a confirm channel and sets it up.
 *
 * @param onLost called once when the channel is gone, had it been set up
 * @throws what opening or setting up failed with; then no channel is left behind
 */
export async function openChannel(
  model: ChannelModel,
  setup: ChannelSetup,
  onLost: () => void,
): Promise<ConfirmChannel> {
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
