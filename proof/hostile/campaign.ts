import fc, { type Arbitrary } from 'fast-check';
import { seededRandom } from '../faults/random.ts';
import type { Ground } from './ground.ts';
import { play, type Played } from './play.ts';
import type { Script } from './script.ts';
import { scriptsFrom } from './scripts.ts';

/** Options of {@link openCampaign}. */
export interface CampaignOptions {
  seed: number;
  /** Gets each failure when it is found. */
  say(line: string): void;
}

/** A script that led to a fault, in the smallest form that still does. */
export interface Failure {
  run: number;
  counterexample: Script;
  played: Played;
}

/** The result of a campaign. */
export interface Campaign {
  scripts: Map<string, number>;
  requests: number;
  statuses: Map<string, number>;
  failures: Failure[];
  /** Number of further failures that are like a reported one. */
  more: number;
}

/** Connections at once. */
const CLIENTS = 24;
/** Most failures that are reported. */
const MOST_FAILURES = 15;
const SHRINK_MS = 40_000;

/** Plays scripts. Each has a seed of its own, so that it can be played alone. */
export function openCampaign(ground: Ground, { seed, say }: CampaignOptions) {
  const scripts = scriptsFrom(ground.document);
  const campaign: Campaign = { scripts: new Map(), requests: 0, statuses: new Map(), failures: [], more: 0 };
  const alike = new Set<string>();

  async function playOne(run: number): Promise<void> {
    const [script] = fc.sample(scripts, { seed: seedOf(seed, run), numRuns: 1 }) as [Script];
    const played = await play(script, run, ground);
    const { faults, answers } = played;
    count(campaign.scripts, script.kind);
    campaign.requests += script.asked.length;
    for (const { status } of answers) count(campaign.statuses, String(status));
    count(campaign.statuses, 'none', Math.max(0, script.asked.length - answers.length));
    const [first] = faults;
    if (first === undefined) return;
    const likeness = likenessOf(first);
    if (alike.has(likeness)) {
      campaign.more += 1;
      return;
    }
    alike.add(likeness);
    const failure = await shrunk(scripts, seedOf(seed, run), run, ground, { run, played, counterexample: script });
    campaign.failures.push(failure);
    say(`run ${run} (${script.kind}): ${failure.played.faults.join('; ').slice(0, 1_000)}`);
  }

  return {
    campaign,
    /** Plays the scripts from one number to another, in some order. Stops after too many failures. */
    async play(from: number, to: number): Promise<void> {
      let next = from;
      async function client(): Promise<void> {
        while (next < to && campaign.failures.length < MOST_FAILURES) await playOne(next++);
      }
      await Promise.all(Array.from({ length: CLIENTS }, client));
    },
  };
}

/** Plays a failing script again in smaller forms, as long as they fail. */
async function shrunk(
  scripts: Arbitrary<Script>,
  seed: number,
  run: number,
  ground: Ground,
  asItCame: Failure,
): Promise<Failure> {
  let smallest = asItCame;
  const property = fc.asyncProperty(scripts, async (script) => {
    const played = await play(script, run, ground);
    if (played.faults.length > 0) smallest = { run, played, counterexample: script };
    return played.faults.length === 0;
  });
  await fc.check(property, { seed, numRuns: 1, interruptAfterTimeLimit: SHRINK_MS });
  return smallest;
}

/** Makes seeds that are far apart, because fast-check begins alike with neighbouring seeds. */
function seedOf(seed: number, run: number): number {
  return Math.floor(seededRandom(seed, `run ${run}`)() * 2 ** 31);
}

/** The fault without the parts that differ each time. */
function likenessOf(fault: string): string {
  return fault.replace(/[0-9a-f-]{36}|\d{4,}|\/\S*/g, '…').slice(0, 80);
}

function count(counts: Map<string, number>, name: string, more = 1): void {
  counts.set(name, (counts.get(name) ?? 0) + more);
}
