import { DatabaseUnavailableError } from '@offload/database';

/** Lets callers act in the order in which they come, so many at once. */
export type FewAtOnce = <Outcome>(act: () => Promise<Outcome>) => Promise<Outcome>;

/**
 * While the database is away, those who wait hear of it with the first whose call fails: one after the other they would
 * each wait for a timeout of their own.
 *
 * @param most that act at once; others wait
 */
export function createFewAtOnce(most: number): FewAtOnce {
  const waiting: { begin: () => void; refuse: (error: unknown) => void }[] = [];
  let acting = 0;

  return async (act) => {
    if (acting === most) await new Promise<void>((begin, refuse) => waiting.push({ begin, refuse }));
    else acting += 1;
    try {
      return await act();
    } catch (error) {
      if (error instanceof DatabaseUnavailableError) for (const { refuse } of waiting.splice(0)) refuse(error);
      throw error;
    } finally {
      const next = waiting.shift(); // takes this one's place
      if (next) next.begin();
      else acting -= 1;
    }
  };
}
