import type { EventEmitter } from 'node:events';
import type { ConnectionState } from './connection.ts';

/** What a connection, its publishers, consumers and subscribers tell: the hooks for logs and metrics. */
export interface MessagingEvents {
  /** Each change of the state or of its reason, once: not each try that fails alike. */
  state: [state: ConnectionState, reason: string | undefined];
  /** Each step of each message. `where` is the exchange it is published to, or the queue it comes from. */
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

/** Tells of a fault; one that nobody listens to is not swallowed. */
export function tellFault(events: EventEmitter<MessagingEvents>, ...fault: MessagingEvents['fault']): void {
  if (!events.emit('fault', ...fault)) process.emitWarning(fault[0]);
}
