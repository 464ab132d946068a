import { DatabaseUnavailableError } from '@offload/database';

/** Runs actions in the order of the calls, a few at once. */
export type FewAtOnce = <Outcome>(act: () => Promise<Outcome>) => Promise<Outcome>;

/**
 * Runs at most `most` actions at once. When one fails because the database is away, all waiting calls fail with it.
 * Otherwise each of them would wait for a timeout of its own.
 *
 * @param most the number of actions that run at once
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
      const next = waiting.shift(); // gets the place of the finished action
      if (next) next.begin();
      else acting -= 1;
    }
  };
}

/** Runs actions on the same key one after the other, and actions on other keys at the same time. */
export type OneForEach = <Outcome>(key: string, act: () => Promise<Outcome>) => Promise<Outcome>;

/** Many calls about one job whose row is locked then hold one connection to the database, and not all. */
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
