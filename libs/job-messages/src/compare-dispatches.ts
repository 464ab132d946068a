/** The queued jobs of a queue, as the database counts them at one moment. */
export interface QueuedJobs {
  /** Those without a dispatch message in the outbox: so many dispatch messages must be with the broker. 0 where that can't be told. */
  dispatched: number;
  queued: number;
  /** How many of `queued` were so at the time of an earlier count. */
  remaining: number;
  /** When they were counted, in seconds by the database's clock. */
  at: number;
}

/** What the broker says of a queue; null when it has no such queue. */
type Inspected = { ready: number; consumers: number } | null;

/** Queued jobs beside the dispatch messages that wait for them. */
export interface DispatchLook {
  /** Dispatch messages that must be with the broker and do not wait: lost, or between queue and claim. */
  missing: number;
  /** How many of them are lost for certain; 0 at the first look. */
  lost: number;
  /** Queued jobs, when the look began. */
  queued: number;
  at: number;
}

/**
 * Compares the queued jobs of a queue with the dispatch messages that wait there, by numbers alone. Dispatch messages that are between queue
 * and claim do not wait either; by a second look their jobs have left the queue. So no more are lost than are missing
 * at both looks, less the jobs that have left in between. While many leave, some that are lost may not show: they do
 * when the queue is calm or empty.
 *
 * @param inspect asks the broker
 * @param earlier a look of some seconds ago
 */
export async function compareDispatches(
  count: (since: number | null) => Promise<QueuedJobs>,
  inspect: () => Promise<Inspected>,
  earlier: DispatchLook | null = null,
): Promise<DispatchLook> {
  const since = earlier?.at ?? null;
  // Counted on both sides of the look into the queue: dispatch messages come and go meanwhile.
  const before = await count(since);
  const { ready, consumers } = (await inspect()) ?? { ready: 0, consumers: 0 };
  const after = before.dispatched === 0 ? before : await count(since);
  const missing = Math.max(0, Math.min(before.dispatched, after.dispatched) - ready);
  const look = { missing, lost: 0, queued: before.queued, at: before.at };
  if (!earlier || missing === 0) return look;

  const left = Math.max(0, earlier.queued - after.remaining);
  // RabbitMQ says that a queue is empty and has no consumers, too, when it can't tell within a quarter of a second:
  // jobs that have left, or dispatch messages that it has confirmed since the earlier look, show that this is no answer.
  const came = after.dispatched - after.remaining;
  if (ready === 0 && consumers === 0 && (left > 0 || came > 0)) return look;
  return { ...look, lost: Math.max(0, Math.min(earlier.missing, missing) - left) };
}
