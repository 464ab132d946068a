// `npm run compare -- FOLDER`: this checkout beside another one of Offload, with its packages installed, in one run:
// start-up, memory, accept, run and pick-up, round by round, one after the other. Prints medians, and the median of the
// rounds' ratios; `--rounds 3` takes fewer rounds than 5, `--only accept` measures some: start, accept, one, run, pick-up.
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build, type ProgramProcess } from './app-process.ts';
import { medianOf, quantile } from './figures/summary.ts';
import { layGround } from './ground/ground.ts';
import { residentMiB } from './ground/processor-time.ts';
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
  options: {
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', default: 'start,accept,one,run,pick-up' },
  },
});
const [other] = positionals;
const only = values.only.split(',');
if (other === undefined) {
  console.error('Name the folder of another checkout: npm run compare -- ../before');
  process.exit(2);
}
const checkouts: Checkout[] = [
  { name: 'this', folder: resolve(import.meta.dirname, '../..'), template: OFFLOAD_TEMPLATE },
  { name: 'other', folder: resolve(other), template: 'other_template' },
];
type Figures = Record<string, number>;
const say = (line: string): void => void process.stderr.write(`${line}\n`);

const sendLoad = await openWrk(say);
for (const { folder } of checkouts) for (const app of ['api', 'worker']) await build(app, folder);
const ground = await layGround(say);
try {
  for (const checkout of checkouts) await prepareOffload(ground, checkout);
  const systems = checkouts.map((checkout) => offload(ground, undefined, checkout));
  const found = new Map<string, number[][]>();

  async function measure(which: number, system: System, figure: (system: System) => Promise<Figures>) {
    await system.reset();
    for (const [what, value] of Object.entries(await figure(system))) {
      const rows = found.get(what) ?? systems.map(() => []);
      rows[which]?.push(value);
      found.set(what, rows);
      say(`${what}: ${system.name} ${value.toPrecision(4)}`);
    }
  }

  const accepted =
    (connections: number) =>
    (system: System): Promise<Figures> =>
      whileRunning(system.startApi(), async (api) => {
        const { path, body } = system.one();
        await send(api.url, system.one());
        // As in the bench: one connection alone would be over before an api is warm.
        await sendLoad({ url: api.url + path, body, connections: 64, seconds: full.warmUpSeconds });
        const { perSecond, cpuMs } = await acceptAt({ ground, plan: full, sendLoad }, system, api, connections);
        const at = `${connections} connection${connections === 1 ? '' : 's'}`;
        return {
          [`accepted a second, ${at}`]: perSecond,
          [`CPU of the api a job, ${at}, ms`]: cpuMs.api,
          [`memory of the api after ${at}, MiB`]: residentMiB(api.pid),
        };
      });
  const started = (app: string, starting: Promise<ProgramProcess>): Promise<Figures> =>
    whileRunning(starting, async ({ startedMs, pid }) => ({
      [`start of the ${app}, ms`]: startedMs,
      [`memory of the ${app} when ready, MiB`]: residentMiB(pid),
    }));

  const figures: Record<string, (system: System) => Promise<Figures>> = {
    start: async (each) => ({
      ...(await started('api', each.startApi())),
      ...(await started('worker', each.startWorker({ concurrency: 10 }))),
    }),
    accept: accepted(64),
    one: accepted(1),
    run: async (each) => ({ 'jobs run a second': await runningRate(each, each.jobsToRun) }),
    'pick-up': async (each) => ({ 'pick-up p50, ms': quantile(await pickUpTimes(each, full.pickUps), 0.5) }),
  };
  for (let round = 0; round < Number(values.rounds); round += 1) {
    // Each round another one goes first.
    for (const which of round % 2 === 0 ? [0, 1] : [1, 0]) {
      const system = systems[which] as System;
      for (const [name, figure] of Object.entries(figures))
        if (only.includes(name)) await measure(which, system, figure);
    }
  }

  console.log('| median of the rounds | this | other | this / other |\n| --- | --- | --- | --- |');
  for (const [what, [mine = [], others = []]] of found) {
    const ratio = medianOf(mine.map((value, round) => value / (others[round] as number)));
    const medians = [mine, others].map((values) => medianOf(values).toPrecision(4));
    console.log(`| ${what} | ${medians.join(' | ')} | ${ratio.toFixed(3)} |`);
  }
} finally {
  await ground.stop();
}
