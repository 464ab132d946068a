/** Lets callers act in the order in which they come, so many at once. */
export type FewAtOnce = <Outcome>(act: () => Promise<Outcome>) => Promise<Outcome>;

/** @param most that act at once; others wait */
export function createFewAtOnce(most: number): FewAtOnce {
  const waiting: (() => void)[] = [];
  let acting = 0;

  return async (act) => {
    if (acting === most) await new Promise<void>((resolve) => waiting.push(resolve));
    else acting += 1;
    try {
      return await act();
    } finally {
      const next = waiting.shift(); // takes this one's place
      if (next) next();
      else acting -= 1;
    }
  };
}
