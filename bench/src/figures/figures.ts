import type { KindId } from './kinds.ts';
import { medianOf, summarize, type Summary } from './summary.ts';

/** The measurements so far. */
export interface Figures {
  /** Adds a round. Values that are not numbers are ignored. */
  add(system: string, values: Partial<Record<KindId, number>>): void;
  /** Records why a system can't be measured. */
  miss(system: string, why: string): void;
  summary(kind: KindId, system: string): Summary;
  /** The median of the rounds; NaN without a measurement. */
  median(kind: KindId, system: string): number;
  /** The systems with one of these figures, in the order in which they were added. */
  systemsWith(kinds: readonly KindId[]): string[];
  /** Why systems lack figures. */
  missed(): [system: string, why: string][];
}

/** Makes an empty collection of figures. */
export function createFigures(): Figures {
  const values = new Map<string, Map<KindId, number[]>>();
  const reasons = new Map<string, Set<string>>();
  const of = (kind: KindId, system: string): number[] => values.get(system)?.get(kind) ?? [];

  return {
    add(system, round) {
      const known = values.get(system) ?? new Map<KindId, number[]>();
      values.set(system, known);
      for (const [kind, value] of Object.entries(round) as [KindId, number][]) {
        if (Number.isFinite(value)) known.set(kind, [...(known.get(kind) ?? []), value]);
      }
    },
    miss: (system, why) => void reasons.set(system, (reasons.get(system) ?? new Set()).add(why)),
    summary: (kind, system) => summarize(of(kind, system)),
    median: (kind, system) => medianOf(of(kind, system)),
    systemsWith: (kinds) => [...values.keys()].filter((system) => kinds.some((kind) => of(kind, system).length > 0)),
    missed: () => [...reasons].flatMap(([system, whys]) => [...whys].map((why): [string, string] => [system, why])),
  };
}
