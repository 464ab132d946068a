import { accept } from './accept.mjs';
import { batch, pickUp, start } from './others.mjs';
import { run } from './run.mjs';

const by = (rows) => (optimisation) => ({ ...optimisation, rows });

/**
 * Each optimisation, with the edits that replace it by plain code that does the same. Without it, only the specs of the
 * optimisation itself fail. Decision 0013 explains each. `rows` names what `npm run compare` measures for it. The size
 * of the young generation is not in the list, because an option of Node.js sets it.
 */
export const optimisations = [
  ...accept.map(by('accept')),
  ...run.map(by('run')),
  ...batch.map(by('batch')),
  ...pickUp.map(by('pick-up')),
  ...start.map(by('start')),
];
