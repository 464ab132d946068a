import { peerSystem } from './peer-system.ts';
import type { System } from './system.ts';

/** What an api on Express can do at most. */
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
