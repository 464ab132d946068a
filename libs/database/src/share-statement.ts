import { batch, type BatchOptions } from '@offload/batcher';
import { DatabaseUnavailableError, isHeldUp } from './unavailable.ts';

/** A statement that takes longer waits for a lock, or the server is slow: the next is sent beside it. */
const SLOW_MS = 250;

/** Lets concurrent callers share one statement: see `batch`. */
export function shareStatement<Item, Outcome>(
  run: (items: Item[]) => Promise<Outcome[]>,
  options: Omit<BatchOptions<Item>, 'isAway' | 'isHeldUp' | 'slowMs'> = {},
): (item: Item) => Promise<Outcome> {
  const isAway = (error: unknown): boolean => error instanceof DatabaseUnavailableError;
  return batch(run, { ...options, slowMs: SLOW_MS, isAway, isHeldUp });
}
