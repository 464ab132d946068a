import type { Ground } from './ground.ts';

/** One promise that each worker must keep. */
export interface Check {
  name: string;
  /** What the worker does. */
  promise: string;
  /** Throws where it does not. */
  run(ground: Ground): Promise<void>;
}

/** What came of one. */
export interface Verdict {
  check: Check;
  /** null: it is kept. */
  fault: string | null;
}

export async function verdictOf(check: Check, ground: Ground): Promise<Verdict> {
  try {
    await check.run(ground);
    return { check, fault: null };
  } catch (error) {
    return { check, fault: (error as Error).message };
  }
}
