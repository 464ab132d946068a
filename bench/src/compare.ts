// `npm run compare -- FOLDER...`: measures this checkout and others of Offload, with their packages installed, in one
// run: start-up, memory, accept, run and pick-up. It runs rounds one after the other, and prints medians and the median
// of the rounds' ratios. `--rounds 3` runs fewer rounds than 5. `--only accept` measures some: start, accept, batch,
// one, run, pick-up.
import { basename, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build, type ProgramProcess } from './app-process.ts';
import { medianOf, quantile } from './figures/summary.ts';
import { layGround } from './ground/ground.ts';
import { residentMiB } from './ground/processor-time.ts';
import { openWrk } from './ground/wrk.ts';
import { full } from './plan.ts';
import { acceptAt } from './rows/accept.ts';
import { pickUpTimes } from './rows/pick-up.ts';
import { runJobs } from './rows/run-jobs.ts';
import { offload, OFFLOAD_TEMPLATE, prepareOffload, type Checkout } from './systems/offload.ts';
import { send, type System } from './systems/system.ts';
import { whileRunning } from './systems/while-running.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', default: 'start,accept,batch,one,run,pick-up' },
  },
});
const only = values.only.split(',');
if (positionals.length === 0) {
  console.error('Name the folder of another checkout: npm run compare -- ../before');
  process.exit(2);
}
const checkouts: Checkout[] = [
  { name: 'this', folder: resolve(import.meta.dirname, '../..'), template: OFFLOAD_TEMPLATE },
  ...positionals.map((folder, index) => ({
    ...{ name: basename(resolve(folder)), folder: resolve(folder), template: `other_template_${index}` },
  })),
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

  const costs = (where: string, cpuMs: Record<string, number>): Figures =>
    Object.fromEntries(Object.entries(cpuMs).map(([name, ms]) => [`CPU of ${name} a job, ${where}, ms`, ms]));
  const accepted =
    (connections: number, jobs = 1) =>
    (system: System): Promise<Figures> =>
      whileRunning(system.startApi(), async (api) => {
        const request = jobs === 1 ? system.one() : system.many(jobs);
        await send(api.url, request);
        // As in the bench: a run with one connection would end before the api is warm.
        const width = jobs === 1 ? 64 : connections;
        await sendLoad({ ...request, url: api.url + request.path, connections: width, seconds: full.warmUpSeconds });
        const bench = { ground, plan: full, sendLoad };
        const { perSecond, cpuMs } = await acceptAt(bench, system, api, connections, request, jobs);
        const { postgres, rabbitmq } = cpuMs;
        const at = `${connections} connection${connections === 1 ? '' : 's'}${jobs === 1 ? '' : ` of batches of ${jobs}`}`;
        return {
          [`accepted a second, ${at}`]: perSecond * jobs,
          ...costs(at, { api: cpuMs.api, postgres, rabbitmq }),
          [`memory of the api after ${at}, MiB`]: residentMiB(api.pid),
        };
      });
  async function ran(system: System): Promise<Figures> {
    const { perSecond, cpuMs, memoryWorkerMiB } = await runJobs(ground, system, system.jobsToRun);
    await system.verify(system.jobsToRun);
    const { worker, postgres, rabbitmq } = cpuMs;
    return {
      'jobs run a second': perSecond,
      ...costs('running', { worker, postgres, rabbitmq }),
      'memory of the worker after running, MiB': memoryWorkerMiB,
    };
  }
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
    batch: accepted(8, 100),
    one: accepted(1),
    run: ran,
    'pick-up': async (each) => ({ 'pick-up p50, ms': quantile(await pickUpTimes(each, full.pickUps), 0.5) }),
  };
  async function measureAll(which: number): Promise<void> {
    const system = systems[which] as System;
    for (const [name, figure] of Object.entries(figures)) if (only.includes(name)) await measure(which, system, figure);
  }

  say('Warming up: new servers are slower, so the first results do not count.');
  await measureAll(0);
  found.clear();
  for (let round = 0; round < Number(values.rounds); round += 1) {
    // Each round begins with another system.
    for (const place of systems.keys()) await measureAll((round + place) % systems.length);
  }

  console.log('| other | median of the rounds | this | other | this / other |\n| --- | --- | --- | --- | --- |');
  for (const [index, { name }] of checkouts.entries()) {
    if (index === 0) continue;
    for (const [what, rows] of found) {
      const [mine, others] = [rows[0] ?? [], rows[index] ?? []];
      const ratio = medianOf(mine.map((value, round) => value / (others[round] as number)));
      const medians = [mine, others].map((values) => medianOf(values).toPrecision(4));
      console.log(`| ${name} | ${what} | ${medians.join(' | ')} | ${ratio.toFixed(3)} |`);
    }
  }
} finally {
  await ground.stop();
}
