import { createHash } from 'node:crypto';
import { dispatch } from '@offload/job-messages';
import type { BrowsedMessage } from '@offload/messaging/queues';
import { z } from 'zod';

/** A dead letter with all that is known of it. */
export interface DeadLetter {
  /** Its message id, or `sha256:` and the beginning of the hash of its body. */
  id: string;
  /** When it was sent, to the second; null if the sender did not set it. */
  sentAt: Date | null;
  /** The queue of its job; null if unknown. */
  queue: string | null;
  /** AMQP's `type`. */
  type: string | null;
  /** The dispatch message that it was; null if it is something else. */
  dispatch: { jobId: string; type: string | null } | null;
  /** Why it became a dead letter. */
  reason: string;
}

/**
 * Headers about the death of a message. Offload's say what the worker found, RabbitMQ's that the message came back too
 * often. https://www.rabbitmq.com/docs/dlx#effects
 */
export const deathHeaders = [
  'x-offload-reason',
  'x-offload-queue',
  'x-death',
  'x-first-death-exchange',
  'x-first-death-queue',
  'x-first-death-reason',
  'x-last-death-exchange',
  'x-last-death-queue',
  'x-last-death-reason',
];

/** A malformed dispatch message may still name its job. */
const dispatchLike = dispatch.schema.partial({ type: true });
const death = z.object({
  reason: z.string(),
  count: z.coerce.number().optional(),
  'routing-keys': z.array(z.string()).min(1).optional(),
});

/** Reads a dead letter from a message of any content. */
export function readDeadLetter({ content, properties }: BrowsedMessage): DeadLetter {
  const {
    messageId,
    timestamp,
    type,
    headers = {},
  } = properties as {
    messageId?: unknown;
    timestamp?: unknown;
    type?: unknown;
    headers?: Record<string, unknown>;
  };
  const [latest] = z.array(death).safeParse(headers['x-death']).data ?? [];
  return {
    id: textOf(messageId) ?? `sha256:${createHash('sha256').update(content).digest('hex').slice(0, 12)}`,
    sentAt: dateOf(timestamp),
    queue:
      textOf(headers['x-offload-queue']) ??
      latest?.['routing-keys']?.[0] ??
      queueBehind(headers['x-first-death-queue']),
    type: textOf(type),
    dispatch: dispatchIn(content),
    reason: textOf(headers['x-offload-reason']) ?? (latest ? brokersReason(latest) : 'no reason is given'),
  };
}

/** @returns the body as text, or null where it is not UTF-8 */
export function textIn(content: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    return null;
  }
}

function brokersReason({ reason, count }: z.output<typeof death>): string {
  if (reason === 'delivery_limit') return 'it came back too often: its queue has a delivery limit';
  if (reason === 'rejected') return 'a consumer rejected it, and could not say why';
  return `the broker says: ${reason}${count === undefined || count === 1 ? '' : `, ${count} times`}`;
}

/** `jobs.<queue>` → `<queue>` */
function queueBehind(dispatchQueue: unknown): string | null {
  return /^jobs\.(.+)$/.exec(textOf(dispatchQueue) ?? '')?.[1] ?? null;
}

function dispatchIn(content: Buffer): DeadLetter['dispatch'] {
  const text = textIn(content);
  if (text === null) return null;
  try {
    const { jobId, type = null } = dispatchLike.parse(JSON.parse(text));
    return { jobId, type };
  } catch {
    return null; // the reason says that it is not a dispatch message
  }
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** Converts AMQP's timestamp, which is in seconds. */
function dateOf(timestamp: unknown): Date | null {
  const date = typeof timestamp === 'number' ? new Date(timestamp * 1_000) : null;
  return date && !Number.isNaN(date.getTime()) ? date : null;
}
