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

/** Lets callers who act on the same thing do so one after the other, and those of other things meanwhile. */
export type OneForEach = <Outcome>(key: string, act: () => Promise<Outcome>) => Promise<Outcome>;

/** So that many calls about one job, whose row is locked, say, hold one connection to the database and not all. */
export function createOneForEach(): OneForEach {
  const lines = new Map<string, { oneAtOnce: FewAtOnce; length: number }>();

  return async (key, act) => {
    const line = lines.get(key) ?? { oneAtOnce: createFewAtOnce(1), length: 0 };
    lines.set(key, line);
    line.length += 1;
    try {
      return await line.oneAtOnce(act);
    } finally {
      line.length -= 1;
      if (line.length === 0) lines.delete(key);
    }
  };
}
