import type { EventEmitter } from 'node:events';

/** The state of a connection. `blocked`: the broker is low on memory or disk and accepts no messages now. */
export type ConnectionState = 'connecting' | 'open' | 'blocked' | 'closed';

/** The events of a connection, its publishers, consumers and subscribers: the hooks for logs and metrics. */
export interface MessagingEvents {
  /**
   * The state or its reason has changed. A retry that fails for the same reason emits nothing. Without a listener, the
   * reason of a missing connection becomes a warning of the process.
   */
  state: [state: ConnectionState, reason: string | undefined];
  /**
   * The broker closed a channel, or cancelled its subscription, while the connection stayed open. The library opens the
   * channel again. Without a listener, the reason becomes a warning of the process.
   */
  channelLost: [reason: string];
  /**
   * A message has made a step. `where` is the exchange it is published to, or the queue it comes from; for a subscriber
   * it is the exchange.
   */
  message: [step: MessageStep, where: string];
  /** One message failed. Without a listener, the error becomes a warning of the process. */
  fault: [error: Error, context: { where: string; messageId: string | undefined }];
}

/**
 * The steps of a message. After `published` comes exactly one of `confirmed`, `returned` (no queue is bound for it),
 * `nacked` and `unconfirmed` (its channel was lost before the confirm). After `consumed` comes exactly one of `acked`,
 * `requeued`, `rejected` and `lost` (its channel was lost before the verdict).
 */
export type MessageStep =
  | 'published'
  | 'confirmed'
  | 'returned'
  | 'nacked'
  | 'unconfirmed'
  | 'consumed'
  | 'acked'
  | 'requeued'
  | 'rejected'
  | 'lost';

const own = new WeakSet<object>();

/** Adds a listener of this library. It does not count as a listener of the user, so warnings stay on. */
export function followState(
  events: EventEmitter<MessagingEvents>,
  listener: (...state: MessagingEvents['state']) => void,
): void {
  own.add(listener);
  events.on('state', listener);
}

/** Emits a change of the state. Without a user's listener, a missing connection becomes a warning of the process. */
export function tellState(events: EventEmitter<MessagingEvents>, ...[state, reason]: MessagingEvents['state']): void {
  const heard = events.listeners('state').some((listener) => !own.has(listener));
  if (!heard && state === 'connecting') process.emitWarning(`no connection to the broker: ${reason}`);
  events.emit('state', state, reason);
}

/** Emits that a channel was lost alone. Without a listener, the reason becomes a warning of the process. */
export function tellChannelLost(events: EventEmitter<MessagingEvents>, reason: string): void {
  if (!events.emit('channelLost', reason)) process.emitWarning(`the broker closed a channel: ${reason}`);
}

/** Emits a step of a message. An error of a listener becomes an uncaught exception and does not change the message. */
export function tellStep(events: EventEmitter<MessagingEvents>, ...step: MessagingEvents['message']): void {
  try {
    events.emit('message', ...step);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** Emits the fault of a message. Without a listener, the error becomes a warning of the process. */
export function tellFault(events: EventEmitter<MessagingEvents>, ...fault: MessagingEvents['fault']): void {
  if (!events.emit('fault', ...fault)) process.emitWarning(`${fault[0].message} (${fault[1].where})`);
}
