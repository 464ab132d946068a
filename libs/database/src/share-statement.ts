import { batch, type BatchOptions } from '@offload/batcher';
import { DatabaseUnavailableError } from './unavailable.ts';

/** Lets concurrent callers share one statement: see `batch`. */
export function shareStatement<Item, Outcome>(
  run: (items: Item[]) => Promise<Outcome[]>,
  options: Omit<BatchOptions<Item>, 'isAway'> = {},
): (item: Item) => Promise<Outcome> {
  return batch(run, { ...options, isAway: (error) => error instanceof DatabaseUnavailableError });
}
