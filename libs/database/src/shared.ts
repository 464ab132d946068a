import { batch } from '@offload/batcher';
import { DatabaseUnavailableError } from './unavailable.ts';

/** Lets concurrent callers share one statement of up to 100 items: see `batch`. */
export function shared<Item, Outcome>(
  run: (items: Item[]) => Promise<Outcome[]>,
  maxItems = 100,
): (item: Item) => Promise<Outcome> {
  return batch(run, { maxItems, isAway: (error) => error instanceof DatabaseUnavailableError });
}
