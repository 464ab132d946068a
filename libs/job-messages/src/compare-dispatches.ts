/** How many jobs of a queue are queued. The database counts them at one moment. */
export interface QueuedJobs {
  /**
   * Queued jobs without a dispatch message in the outbox: RabbitMQ must hold a dispatch message for each. 0 if unknown.
   */
  dispatched: number;
  /** All queued jobs. */
  queued: number;
  /** How many of `queued` were queued at the time of an earlier count. */
  remaining: number;
  /** When the database counted, in seconds by its clock. */
  at: number;
}

/** The broker's status of a queue; null when the queue does not exist. */
type Inspected = { ready: number; consumers: number } | null;

/** One comparison of queued jobs with waiting dispatch messages. */
export interface DispatchLook {
  /**
   * Dispatch messages that RabbitMQ must hold and that do not wait in the queue: they are lost, or on the way to a
   * claim.
   */
  missing: number;
  /** How many of them are certainly lost; 0 at the first look. */
  lost: number;
  /** Queued jobs at the beginning of the look. */
  queued: number;
  /** When the look began, in seconds by the database's clock. */
  at: number;
}

/**
 * Finds out how many dispatch messages of a queue RabbitMQ has lost, by comparing counts alone.
 *
 * A dispatch message between queue and claim does not wait either, but its job has left the queue by a second look. So
 * the lost ones are at most those missing at both looks, less the jobs that left in between. The result is a lower
 * bound: in a busy queue some lost messages show only later, when it is calm or empty.
 *
 * @param count counts the jobs in the database; `since` is `at` of the earlier look, or null
 * @param inspect asks the broker
 * @param earlier a look of some seconds ago
 * @throws the error of `count` or `inspect`
 */
export async function compareDispatches(
  count: (since: number | null) => Promise<QueuedJobs>,
  inspect: () => Promise<Inspected>,
  earlier: DispatchLook | null = null,
): Promise<DispatchLook> {
  const since = earlier?.at ?? null;
  // Dispatch messages come and go during the look, so the jobs are counted before and after it.
  const before = await count(since);
  const { ready, consumers } = (await inspect()) ?? { ready: 0, consumers: 0 };
  const after = before.dispatched === 0 ? before : await count(since);
  const missing = Math.max(0, Math.min(before.dispatched, after.dispatched) - ready);
  const look = { missing, lost: 0, queued: before.queued, at: before.at };
  if (!earlier || missing === 0) return look;

  const left = Math.max(0, earlier.queued - after.remaining);
  // RabbitMQ also reports an empty queue without consumers when it can't answer within 250 ms. If jobs have left, or
  // new dispatch messages were confirmed since the earlier look, the report is not used.
  const came = after.dispatched - after.remaining;
  if (ready === 0 && consumers === 0 && (left > 0 || came > 0)) return look;
  return { ...look, lost: Math.max(0, Math.min(earlier.missing, missing) - left) };
}
