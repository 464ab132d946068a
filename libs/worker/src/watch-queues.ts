import { dispatchQueue } from '@offload/job-messages';
import type { Connection, Consumer } from '@offload/messaging';
import { probeQueue } from '@offload/messaging/queues';
import { type Logger, setTicker } from '@offload/process';

export interface WatchQueuesOptions {
  /** A connection that has no other use: see `probeQueue`. */
  connection: Connection;
  /** The consumers, by queue name. */
  consumers: ReadonlyMap<string, Pick<Consumer, 'active'>>;
  log: Logger;
  /** Pause between two questions, in milliseconds. @default 10_000 */
  everyMs?: number;
  /** How long a queue may take to answer, in milliseconds. @default 5_000 */
  timeoutMs?: number;
}

/**
 * Asks the queues at intervals whether they answer, and logs each change once.
 *
 * @returns `faults`: a sentence for each queue that did not answer the last question
 */
export function watchQueues(options: WatchQueuesOptions): { faults(): string[] } {
  const { connection, consumers, log, everyMs = 10_000, timeoutMs = 5_000 } = options;
  const faults = new Map<string, string>();

  const watch = (queue: string, consumer: Pick<Consumer, 'active'>): void => {
    const probe = probeQueue(connection, dispatchQueue(queue));
    const look = async (): Promise<void> => {
      if (connection.state !== 'open') return; // nothing new is known
      const fault = await probe.ask({ timeoutMs, evenIfFilled: !consumer.active });
      const before = faults.get(queue);
      if (fault === null) faults.delete(queue);
      else faults.set(queue, fault);
      if (fault !== null && before === undefined) log.error(fault);
      if (fault === null && before !== undefined) log.info(`the queue ${dispatchQueue(queue)} answers again`);
    };
    setTicker(() => void look(), everyMs).unref();
  };
  for (const [queue, consumer] of consumers) watch(queue, consumer);
  return { faults: () => [...faults.values()] };
}
