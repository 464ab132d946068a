import type { EventEmitter } from 'node:events';

/** `blocked`: the broker takes nothing in for now, being low on memory or disk. */
export type ConnectionState = 'connecting' | 'open' | 'blocked' | 'closed';

/** What a connection, its publishers, consumers and subscribers tell: the hooks for logs and metrics. */
export interface MessagingEvents {
  /**
   * Each change of the state or of its reason, once: not each try that fails alike. Unless somebody listens, why there is
   * no connection becomes a warning of the process.
   */
  state: [state: ConnectionState, reason: string | undefined];
  /**
   * The broker closed a channel, or cancelled its subscription, while the connection stayed open. The channel is opened
   * again by itself. Without a listener, the reason becomes a warning of the process.
   */
  channelLost: [reason: string];
  /**
   * Each step of each message. `where` is the exchange it is published to, or the queue it comes from (of a subscriber:
   * the exchange).
   */
  message: [step: MessageStep, where: string];
  /** What went wrong with one message. Unless somebody listens, it becomes a warning of the process. */
  fault: [error: Error, context: { where: string; messageId: string | undefined }];
}

/**
 * Whatever is `published` becomes one of `confirmed`, `returned` (no queue is bound for it), `nacked` and `unconfirmed` (its
 * channel was lost before the confirm came). Whatever is `consumed` becomes one of `acked`, `requeued`, `rejected` and
 * `lost` (with its channel, before the verdict).
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

/** Follows the state within this library, which is not to listen in its user's place. */
export function followState(
  events: EventEmitter<MessagingEvents>,
  listener: (...state: MessagingEvents['state']) => void,
): void {
  own.add(listener);
  events.on('state', listener);
}

/** Tells of a state. */
export function tellState(events: EventEmitter<MessagingEvents>, ...[state, reason]: MessagingEvents['state']): void {
  const heard = events.listeners('state').some((listener) => !own.has(listener));
  if (!heard && state === 'connecting') process.emitWarning(`no connection to the broker: ${reason}`);
  events.emit('state', state, reason);
}

/** Tells of a channel that was lost alone; without a listener, by a warning of the process. */
export function tellChannelLost(events: EventEmitter<MessagingEvents>, reason: string): void {
  if (!events.emit('channelLost', reason)) process.emitWarning(`the broker closed a channel: ${reason}`);
}

/** Tells of a message's step. What a hook throws is its own fault, and not the message's. */
export function tellStep(events: EventEmitter<MessagingEvents>, ...step: MessagingEvents['message']): void {
  try {
    events.emit('message', ...step);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** Tells of a fault; one that nobody listens to is not swallowed. */
export function tellFault(events: EventEmitter<MessagingEvents>, ...fault: MessagingEvents['fault']): void {
  if (!events.emit('fault', ...fault)) process.emitWarning(`${fault[0].message} (${fault[1].where})`);
}
