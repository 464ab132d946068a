import { lookBack, type Aftermath } from './aftermath.ts';
import { openCampaign, type Campaign } from './campaign.ts';
import { layGround } from './ground.ts';
import type { Options } from './options.ts';
import { calmVitals, type Vitals } from './vitals.ts';

/** All that came of a run. */
export interface Siege {
  campaign: Campaign;
  /** after the first of the scripts */
  warm: Vitals;
  aftermath: Aftermath;
  /** jobs of requests that were answered */
  taken: number;
  /** from the first request to the answer to the last, in milliseconds */
  tookMs: number;
}

/** Sends an api of its own so many scripts, and looks at what is left of it. */
export async function besiege({ runs, seed, only }: Options, say: (line: string) => void): Promise<Siege> {
  const ground = await layGround();
  try {
    const { campaign, play } = openCampaign(ground, { seed, say });
    const from = performance.now();
    const [first, end] = only === null ? [0, runs] : [only, only + 1];
    const warmAfter = only === null ? Math.min(2_000, Math.ceil(runs / 4)) : only;
    await play(first, warmAfter);
    const warm = await calmVitals(ground.api);
    await play(warmAfter, end);
    const tookMs = performance.now() - from;
    const aftermath = await lookBack(ground, warm);
    return { campaign, warm, aftermath, taken: ground.account.taken, tookMs };
  } finally {
    await ground.stop();
  }
}
