import { expect, it } from '@jest/globals';
import { failed } from './report.ts';
import { besiege } from './siege.ts';

/** `npm run hostile` plays more scripts, and others each time. */
const options = { runs: 1_500, seed: 1, only: null };

it('answers all requests by HTTP and the contract, and stays sound and small', async () => {
  const { campaign, aftermath } = await besiege(options, () => undefined);
  expect(campaign.failures.map((failure) => failed(failure, options.seed))).toEqual([]);
  expect(aftermath.faults).toEqual([]);
  const played = [...campaign.scripts.values()].reduce((sum, count) => sum + count, 0);
  expect([played, aftermath.stored > 100]).toEqual([options.runs, true]);
}, 300_000); // 20 s; longer after a failure, which is reduced
