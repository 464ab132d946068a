import type { Figures } from '../figures/figures.ts';
import type { Ground } from '../ground/ground.ts';
import type { SendLoad } from '../ground/wrk.ts';
import type { Plan, RowName } from '../plan.ts';
import type { System } from '../systems/system.ts';
import type { Systems } from '../systems/systems.ts';

/** What every row needs. */
export interface Bench {
  ground: Ground;
  systems: Systems;
  sendLoad: SendLoad;
  plan: Plan;
  figures: Figures;
  /** Reports that jobs were lost, repeated or not run: an error of the run, with any figures. */
  fault(what: string): void;
  say(line: string): void;
}

/** Measures a row for some systems in rounds. In each round they run one after the other, and another one begins. */
export async function eachRound(
  { plan, figures, fault, say }: Bench,
  row: RowName,
  systems: readonly System[],
  measure: (system: System) => Promise<void>,
): Promise<void> {
  for (let round = 1; round <= plan.rounds[row]; round += 1) {
    const first = (round - 1) % systems.length;
    for (const system of [...systems.slice(first), ...systems.slice(0, first)]) {
      if (system.missing !== undefined) {
        figures.miss(system.name, system.missing);
        continue;
      }
      const from = performance.now();
      try {
        await system.reset();
        await measure(system);
        say(`${row}, round ${round}: ${system.name} (${((performance.now() - from) / 1_000).toFixed(1)} s)`);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        fault(`${row}, round ${round}: ${system.name}: ${why}`);
        figures.miss(system.name, `${row}: ${why}`);
      }
    }
  }
}
