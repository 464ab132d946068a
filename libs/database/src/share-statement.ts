import { batch, type BatchOptions } from '@offload/batcher';
import { DatabaseUnavailableError, isHeldUp, orUnavailable } from './unavailable.ts';

/** A statement that takes longer waits for a lock, or the server is slow: the next one starts beside it. */
const SLOW_MS = 250;

/**
 * Most characters of payloads or results that share a statement. More would block the process while it writes and
 * parses them.
 */
export const STATEMENT_LENGTH = 2 * 1024 ** 2;

/** Lets concurrent callers share one statement: see `batch`. Faults that can pass become `DatabaseUnavailableError`. */
export function shareStatement<Item, Outcome>(
  run: (items: Item[]) => Promise<Outcome[]>,
  options: Omit<BatchOptions<Item>, 'isAway' | 'isHeldUp' | 'slowMs'> = {},
): (item: Item) => Promise<Outcome> {
  const isAway = (error: unknown): boolean => error instanceof DatabaseUnavailableError;
  return batch((items: Item[]) => orUnavailable(() => run(items)), { ...options, slowMs: SLOW_MS, isAway, isHeldUp });
}
