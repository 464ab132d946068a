// `npm run bench`: measures Offload and its peers at the same work, on the same machine in the same run. It runs in
// rounds, one system at a time. It writes docs/performance.md and docs/performance.svg, and exits with 1 when a bound
// is missed or a job is lost. `npm run bench -- --quick` takes under three minutes and prints only; `--only accept,run`
// measures those rows.
import { parseArgs } from 'node:util';
import { build, buildPeers } from './app-process.ts';
import { judge } from './figures/bounds.ts';
import { createFigures } from './figures/figures.ts';
import { report, writePlot } from './figures/report.ts';
import { layGround } from './ground/ground.ts';
import { openWrk } from './ground/wrk.ts';
import { writeSection } from './performance-page.ts';
import { full, quick, rowNames, type RowName } from './plan.ts';
import { measureAccept } from './rows/accept.ts';
import type { Bench } from './rows/bench.ts';
import { MACHINE } from './rows/floor.ts';
import { grownName, measureGrowth } from './rows/growth.ts';
import { IDEAL_S, measureMakespan } from './rows/makespan.ts';
import { measurePickUp } from './rows/pick-up.ts';
import { measureRunning } from './rows/run-jobs.ts';
import { prepareOffload } from './systems/offload.ts';
import { allSystems } from './systems/systems.ts';

const measures: Record<RowName, (bench: Bench) => Promise<void>> = {
  accept: measureAccept,
  run: measureRunning,
  'pick-up': measurePickUp,
  makespan: measureMakespan,
  growth: measureGrowth,
};

const { plan, rows } = parse();
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const startedAt = performance.now();

const sendLoad = await openWrk(say);
await build('api');
await build('worker');
await buildPeers();
const laying = layGround(say);
let stopping: Promise<void> | undefined;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (stopping) return; // npm repeats the signal of the terminal
    say(`${signal}: stopping`);
    stopping = laying.then((each) => each.stop()).finally(() => process.exit(1)); // other processes end with this one
  });
}
const ground = await laying;
try {
  await prepareOffload(ground);
  const systems = allSystems(ground);
  const figures = createFigures();
  const faults: string[] = [];
  const fault = (what: string): void => {
    if (stopping) return; // the servers are ending
    faults.push(what);
    say(`ERROR: ${what}`);
  };
  const bench: Bench = { ground, systems, sendLoad, plan, figures, fault, say };
  for (const row of rows) await measures[row](bench);

  const offload = systems.offload.name;
  const names = Object.fromEntries(Object.entries(systems).map(([key, { name }]) => [key, name]));
  const judged = judge({
    median: figures.median,
    names: { ...(names as Record<keyof typeof systems, string>), machine: MACHINE },
    idealMakespanS: IDEAL_S,
    grown: plan.sizes.map(grownName),
  });
  // Omit the bounds of rows that were not selected.
  const told = rows.length === rowNames.length ? judged : judged.filter(({ kept }) => kept !== undefined);
  const isWhole = !plan.quick && rows.length === rowNames.length;
  await stopping; // ends the process: half a run has no report
  const content = report({ figures, judged: told, faults, offload, serverVersions: ground.versions });
  console.log(content);
  say(`\n${((performance.now() - startedAt) / 60_000).toFixed(1)} minutes`);

  if (isWhole) {
    await writeSection('bench', `![Jobs a second, as bars](performance.svg)\n\n${content}`);
    await writePlot(figures, offload);
  }
  // In a whole run, a bound without a comparison is missed too.
  const missed = judged.some(({ kept }) => (isWhole ? kept !== true : kept === false));
  process.exitCode = faults.length > 0 || (missed && !plan.quick) ? 1 : 0;
} finally {
  await (stopping ?? ground.stop());
}

function parse() {
  const { values } = parseArgs({ options: { quick: { type: 'boolean' }, only: { type: 'string' } } });
  const wanted = values.only?.split(',').map((name) => name.trim());
  const unknown = wanted?.filter((name) => !rowNames.includes(name as RowName)) ?? [];
  if (unknown.length > 0) {
    const given = unknown.map((name) => JSON.stringify(name)).join(', ');
    console.error(`--only takes ${rowNames.join(', ')}, separated by commas, not ${given}`);
    process.exit(2);
  }
  return { plan: values.quick ? quick : full, rows: rowNames.filter((name) => wanted?.includes(name) ?? true) };
}
