/** Returns numbers from 0 to 1, without 1. A seed always gives the same numbers. */
export type Random = () => number;

/**
 * Makes a generator: Mulberry32, which is good enough to choose faults.
 *
 * @param seed a whole number
 * @param purpose gives different numbers for the same seed
 */
export function seededRandom(seed: number, purpose: string): Random {
  let state = [...purpose].reduce((sum, letter) => Math.imul(sum, 31) + (letter.codePointAt(0) ?? 0), seed) | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A number from `from` to `to`, without `to`. */
export function between(random: Random, from: number, to: number): number {
  return from + random() * (to - from);
}

/** Chooses one. @throws RangeError when there is no choice */
export function oneOf<Choice>(random: Random, choices: readonly Choice[]): Choice {
  if (choices.length === 0) throw new RangeError('nothing to choose from');
  return choices[Math.floor(random() * choices.length)] as Choice;
}
