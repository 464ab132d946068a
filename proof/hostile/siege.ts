import { lookBack, type Aftermath } from './aftermath.ts';
import { openCampaign, type Campaign } from './campaign.ts';
import { sendCrowds, type Crowd } from './crowd.ts';
import { layGround } from './ground.ts';
import type { Options } from './options.ts';
import { excessesIn, type Phase } from './phases.ts';
import { calmVitals, strainOf, type Vitals } from './vitals.ts';

/** All that came of a run. */
export interface Siege {
  campaign: Campaign;
  /** after the first of the scripts */
  warm: Vitals;
  /** of those that do the same at once; none where a single script is played */
  crowds: Crowd[];
  phases: Phase[];
  /** what was too much in them: milliseconds and bytes, which depend on the machine and what else it does */
  excesses: string[];
  aftermath: Aftermath;
  /** jobs of requests that were answered */
  taken: number;
  /** from the first request to the answer to the last, in milliseconds */
  tookMs: number;
}

/** Sends an api of its own so many scripts, then crowds, and looks at what is left of it. */
export async function besiege({ runs, seed, only }: Options, say: (line: string) => void): Promise<Siege> {
  const ground = await layGround();
  const { api, notifier, account } = ground;
  try {
    const { campaign, play } = openCampaign(ground, { seed, say });
    const phases: Phase[] = [];
    await strainOf(api); // that of its start
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
