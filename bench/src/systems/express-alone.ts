import { peerSystem } from './peer-system.ts';
import type { System } from './system.ts';

/** Express alone, the upper bound for every api on it. */
export function expressAlone(): System {
  return peerSystem({
    name: 'Express alone',
    program: 'express-alone',
    env: {},
    can: { store: false, run: false },
    jobsToRun: 0,
    reset: () => Promise.resolve(),
  });
}
