// The fault suite: causes faults in the system under a load of real jobs, and counts the results.
//
//   node --import tsx --conditions=@offload/source proof/faults/run.ts [--short] [--seed N] [--only name,name] [--jobs
// N]
//
// --short is for CI. The long form, or --write, writes docs/reliability.md, which describes the faults and the figures.
// It starts its own servers; TEST_SERVERS chooses the flavour of RabbitMQ. It exits with 1 when a scenario or
// measurement fails.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { measureBrowsers } from './browsers/measure.ts';
import { repository } from '@offload/running-system';
import { measureWebhooks } from './webhooks/measure.ts';
import { layGround } from './ground.ts';
import { describeMachine } from './machine.ts';
import { parseOptions } from './options.ts';
import { play } from './play.ts';
import { measurementTable, reliabilityPage, scenarioTable, type Report } from './report.ts';
import { scenarios } from './scenarios.ts';
import { duration, median, worst } from './statistics.ts';
import { measureTakeovers } from './takeover.ts';
import type { MeasurementResult, ScenarioResult } from './unit.ts';
import { measureWithoutBroker } from './without-broker.ts';

const { pace, seed, only, write, short } = parseOptions(process.argv.slice(2));
const from = performance.now();
const deadline = AbortSignal.timeout(pace.limitMs);
const logs = await mkdtemp(join(tmpdir(), 'offload-faults-'));
let unit = 'ground';

function say(line: string): void {
  process.stdout.write(
    `${((performance.now() - from) / 1_000).toFixed(1).padStart(7)} s  ${unit.padEnd(14)} ${line}\n`,
  );
}

/** @returns the result, or the reason why there is none */
async function tryOut<Found extends { failures: string[] }>(
  name: string,
  work: () => Promise<Found>,
): Promise<{ found?: Found; failures: readonly string[] }> {
  unit = name;
  say('starting');
  try {
    deadline.throwIfAborted();
    const found = await work();
    for (const failure of found.failures) say(`FAILED: ${failure}`);
    if (found.failures.length === 0) say('passed');
    return { found, failures: found.failures };
  } catch (error) {
    const why = deadline.aborted ? `the suite's limit of ${pace.limitMs / 60_000} minutes is reached` : String(error);
    say(`FAILED: ${why}`);
    return { failures: [why] };
  }
}

const measurements = [
  {
    name: 'takeover',
    title: "from `kill -9` of a job's worker to the start of the next attempt",
    measure: () => measureTakeovers(ground, pace.kills, deadline),
  },
  {
    name: 'without-broker',
    title: 'posts while RabbitMQ is down',
    measure: () => measureWithoutBroker(ground, pace, seed, deadline),
  },
  {
    name: 'browsers',
    title: 'browsers that watch a job each, while RabbitMQ and a notifier are killed',
    measure: () => measureBrowsers(ground, pace, { seed, logs, deadline, say }),
  },
  {
    name: 'webhooks',
    title: 'webhooks to receivers that fail, while notifiers are killed',
    measure: () => measureWebhooks(ground, pace, { seed, logs, deadline, say }),
  },
];
const names = [...scenarios, ...measurements].map(({ name }) => name);
const unknown = only.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`there is no ${unknown.join(', ')}: ${names.join(', ')}\n`);
  process.exit(2);
}
const wanted = ({ name }: { name: string }) => only.length === 0 || only.includes(name);

say(`seed ${seed}, ${short ? 'short' : 'long'} form; logs of what fails are kept in ${logs}`);
const ground = await layGround();
const versions = [`Node.js ${process.versions.node}`, ...(await ground.versions())];
say(`${describeMachine()}; ${versions.join(', ')}`);

const played: ScenarioResult[] = [];
const measured: MeasurementResult[] = [];
for (const scenario of scenarios.filter(wanted)) {
  const options = { pace, seed, logs, say, deadline };
  const { found, failures } = await tryOut(scenario.name, () => play(scenario, ground, options));
  for (const { what, jobs, ms } of found?.recoveries ?? []) {
    const concerned = jobs === 0 ? 'longest pause' : `${jobs} jobs, median ${duration(median(ms))}, worst`;
    say(`${what}: ${concerned} ${duration(worst(ms))}`);
  }
  played.push({ scenario, failures, ...(found && { played: found }) });
}
for (const { name, title, measure } of measurements.filter(wanted)) {
  const began = performance.now();
  const { found, failures } = await tryOut(name, measure);
  if (found) say(found.measured);
  const tookMs = performance.now() - began;
  measured.push({ name, title, tookMs, failures, ...(found && { measured: found }) });
}
unit = 'ground';
await ground.close();

const report: Report = {
  ...{ date: new Date().toISOString().slice(0, 10), machine: describeMachine(), versions, seed, short, pace },
  ...{ tookMs: performance.now() - from, scenarios: played, measurements: measured },
};
async function formatted(markdown: string): Promise<string> {
  const file = join(repository, 'docs/reliability.md');
  return format(markdown, { ...(await resolveConfig(file)), parser: 'markdown', proseWrap: 'always' });
}
if (write) await writeFile(join(repository, 'docs/reliability.md'), await formatted(reliabilityPage(report)));
const tables = [played.length > 0 && scenarioTable(played), measured.length > 0 && measurementTable(measured)];
process.stdout.write(`\n${await formatted(tables.filter(Boolean).join('\n\n'))}\n`);

const units = [...played, ...measured];
const failed = units.filter(({ failures }) => failures.length > 0);
for (const { failures, ...each } of failed) {
  const title = 'scenario' in each ? each.scenario.title : each.title;
  process.stdout.write(`${title}:\n${failures.map((failure) => `  ${failure}\n`).join('')}`);
}
if (failed.length > 0) process.stdout.write(`The processes' logs are in ${logs}\n`);
else await rm(logs, { recursive: true });
process.stdout.write(`${units.length - failed.length} passed, ${failed.length} failed\n`);
process.exit(failed.length === 0 ? 0 : 1);
