import type { Strain, Vitals } from './vitals.ts';

/** What a process has been through while it was sent one kind of requests. */
export interface Phase {
  what: string;
  process: 'api' | 'notifier';
  strain: Strain;
}

/**
 * The most that is allowed of it. MAX_BYTES_IN_FLIGHT is 32 MiB, and the process may grow by eight times that. A large
 * body is there as octets, as the text and the value that are read from them, in the row and in the event that are
 * written of it, and again in what the garbage collector has not taken away.
 */
export const MOST = { heldMs: 100, moreBytes: 8 * 32 * 2 ** 20 };

/** @returns what was too much, compared with the processes at rest */
export function excessesIn(phases: readonly Phase[], rest: Record<Phase['process'], Vitals>): string[] {
  return phases.flatMap(({ what, process, strain: { heldMs, mostResidentBytes } }) => {
    const more = mostResidentBytes - rest[process].residentBytes;
    return [
      ...(heldMs > MOST.heldMs ? [`${what} held the ${process} for ${heldMs.toFixed()} ms`] : []),
      ...(more > MOST.moreBytes ? [`with ${what} the ${process} was ${(more / 2 ** 20).toFixed()} MiB larger`] : []),
    ];
  });
}
