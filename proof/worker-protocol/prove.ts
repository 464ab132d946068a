import { verdictOf, type Check, type Verdict } from './check.ts';
import { openGround, type WorkerUnderTest } from './ground.ts';
import { howItEnds } from './how-it-ends.ts';
import { whileItWorks } from './while-it-works.ts';

/** Every promise that a worker must keep. */
export const checks: readonly Check[] = [...whileItWorks, ...howItEnds];

/**
 * Starts a system and workers, and holds them against each of the checks.
 *
 * @param only the names of those that are wanted @default all
 * @throws Error when the worker does not start, or there is no such check
 */
export async function prove(worker: WorkerUnderTest, only: readonly string[] = []): Promise<Verdict[]> {
  const unknown = only.filter((name) => !checks.some((check) => check.name === name));
  if (unknown.length > 0) throw new TypeError(`there is no check ${unknown.join(', ')}`);
  const wanted = ({ name }: Check): boolean => only.length === 0 || only.includes(name);
  const ground = await openGround(worker);
  try {
    await ground.startWorker();
    const verdicts = await Promise.all(whileItWorks.filter(wanted).map((check) => verdictOf(check, ground)));
    for (const check of howItEnds.filter(wanted)) verdicts.push(await verdictOf(check, ground));
    return verdicts;
  } finally {
    await ground.close();
  }
}
