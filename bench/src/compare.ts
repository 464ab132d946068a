// `npm run compare -- FOLDER`: this checkout beside another one of Offload, with its packages installed, in one run:
// accept, run and pick-up, round by round, one after the other. Prints medians and ratios; `--rounds 3` takes fewer
// rounds than 5.
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './app-process.ts';
import { medianOf, quantile } from './figures/summary.ts';
import { layGround } from './ground/ground.ts';
import { openWrk } from './ground/wrk.ts';
import { full } from './plan.ts';
import { acceptAt } from './rows/accept.ts';
import { pickUpTimes } from './rows/pick-up.ts';
import { runningRate } from './rows/run-jobs.ts';
import { offload, OFFLOAD_TEMPLATE, prepareOffload, type Checkout } from './systems/offload.ts';
import { send, type System } from './systems/system.ts';
import { whileRunning } from './systems/while-running.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '5' } },
});
const [other] = positionals;
if (other === undefined) {
  console.error('Name the folder of another checkout: npm run compare -- ../before');
  process.exit(2);
}
const checkouts: Checkout[] = [
  { name: 'this', folder: resolve(import.meta.dirname, '../..'), template: OFFLOAD_TEMPLATE },
  { name: 'other', folder: resolve(other), template: 'other_template' },
];
const say = (line: string): void => void process.stderr.write(`${line}\n`);

const sendLoad = await openWrk(say);
for (const { folder } of checkouts) for (const app of ['api', 'worker']) await build(app, folder);
const ground = await layGround(say);
try {
  for (const checkout of checkouts) await prepareOffload(ground, checkout);
  const systems = checkouts.map((checkout) => offload(ground, undefined, checkout));
  const found = new Map<string, number[][]>();

  async function measure(what: string, which: number, system: System, figure: (system: System) => Promise<number>) {
    await system.reset();
    const value = await figure(system);
    const rows = found.get(what) ?? systems.map(() => []);
    rows[which]?.push(value);
    found.set(what, rows);
    say(`${what}: ${system.name} ${value.toPrecision(4)}`);
  }

  const accepted = (connections: number) => (system: System) =>
    whileRunning(system.startApi(), async (api) => {
      const { path, body } = system.one();
      await send(api.url, system.one());
      await sendLoad({ url: api.url + path, body, connections, seconds: full.warmUpSeconds });
      return (await acceptAt({ ground, plan: full, sendLoad }, system, api, connections)).perSecond;
    });

  for (let round = 0; round < Number(values.rounds); round += 1) {
    // Each round another one goes first.
    for (const which of round % 2 === 0 ? [0, 1] : [1, 0]) {
      const system = systems[which] as System;
      await measure('accepted a second, 64 connections', which, system, accepted(64));
      await measure('accepted a second, 1 connection', which, system, accepted(1));
      await measure('jobs run a second', which, system, (each) => runningRate(each, each.jobsToRun));
      const pickUp = async (each: System) => quantile(await pickUpTimes(each, full.pickUps), 0.5);
      await measure('pick-up p50, ms', which, system, pickUp);
    }
  }

  console.log('| median of the rounds | this | other | this / other |\n| --- | --- | --- | --- |');
  for (const [what, rows] of found) {
    const [mine = NaN, others = NaN] = rows.map(medianOf);
    console.log(`| ${what} | ${mine.toPrecision(4)} | ${others.toPrecision(4)} | ${(mine / others).toFixed(3)} |`);
  }
} finally {
  await ground.stop();
}
