import { lookBack, type Aftermath } from './aftermath.ts';
import { openCampaign, type Campaign } from './campaign.ts';
import { sendCrowds, type Crowd } from './crowd.ts';
import { layGround } from './ground.ts';
import type { Options } from './options.ts';
import { excessesIn, type Phase } from './phases.ts';
import { calmVitals, strainOf, type Vitals } from './vitals.ts';

/** All results of a run. */
export interface Siege {
  campaign: Campaign;
  /** After the first scripts. */
  warm: Vitals;
  /** The crowds; empty when a single script is played. */
  crowds: Crowd[];
  phases: Phase[];
  /** Strains beyond the limits, in milliseconds and bytes, which depend on the load of the machine. */
  excesses: string[];
  aftermath: Aftermath;
  /** Number of jobs of answered requests. */
  taken: number;
  /** Milliseconds from the first request to the last answer. */
  tookMs: number;
}

/** Sends scripts to an api of its own, then crowds, and examines its state. */
export async function besiege({ runs, seed, only }: Options, say: (line: string) => void): Promise<Siege> {
  const ground = await layGround();
  const { api, notifier, account } = ground;
  try {
    const { campaign, play } = openCampaign(ground, { seed, say });
    const phases: Phase[] = [];
    await strainOf(api); // drop the strain of the start
    const from = performance.now();
    const [first, end] = only === null ? [0, runs] : [only, only + 1];
    const warmAfter = only === null ? Math.min(2_000, Math.ceil(runs / 4)) : only;
    await play(first, warmAfter);
    phases.push({ what: 'the first scripts', process: 'api', strain: await strainOf(api) });
    const [warm, idle] = await Promise.all([calmVitals(api), calmVitals(notifier)]);
    await play(warmAfter, end);
    phases.push({ what: 'the other scripts', process: 'api', strain: await strainOf(api) });
    const { crowds, faults } = only === null ? await sendCrowds(ground, end) : { crowds: [], faults: [] };
    phases.push(...crowds.flatMap(({ phase }) => phase ?? []));
    const tookMs = performance.now() - from;
    const aftermath = await lookBack(ground, warm);
    aftermath.faults.unshift(...faults);
    const excesses = excessesIn(phases, { api: warm, notifier: idle });
    return { campaign, warm, crowds, phases, excesses, aftermath, taken: account.taken, tookMs };
  } finally {
    await ground.stop();
  }
}
