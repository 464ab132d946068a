import type { Strain, Vitals } from './vitals.ts';

/** The strain of a process during one kind of requests. */
export interface Phase {
  what: string;
  process: 'api' | 'notifier';
  strain: Strain;
}

/**
 * The limits of a strain. MAX_BYTES_IN_FLIGHT is 32 MiB, and the process may grow by eight times that. A large body is
 * in memory several times: as bytes, as text, as the parsed value, as the row and as the event. Garbage comes on top.
 */
export const MOST = { heldMs: 100, moreBytes: 8 * 32 * 2 ** 20 };

/** Finds strains beyond the limits, compared with the processes at rest. */
export function excessesIn(phases: readonly Phase[], rest: Record<Phase['process'], Vitals>): string[] {
  return phases.flatMap(({ what, process, strain: { heldMs, mostResidentBytes } }) => {
    const more = mostResidentBytes - rest[process].residentBytes;
    return [
      ...(heldMs > MOST.heldMs ? [`${what} held the ${process} for ${heldMs.toFixed()} ms`] : []),
      ...(more > MOST.moreBytes ? [`with ${what} the ${process} was ${(more / 2 ** 20).toFixed()} MiB larger`] : []),
    ];
  });
}
