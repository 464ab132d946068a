import type { Pace } from './pace.ts';
import { duration, median, worst } from './statistics.ts';
import type { MeasurementResult, ScenarioResult } from './unit.ts';

/** The contents of the page. */
export interface Report {
  date: string;
  /** Such as `2 cores (…), 24 GiB, Debian GNU/Linux 12`. */
  machine: string;
  versions: readonly string[];
  seed: number;
  short: boolean;
  pace: Pace;
  tookMs: number;
  scenarios: readonly ScenarioResult[];
  measurements: readonly MeasurementResult[];
}

/** The page as unformatted Markdown. */
export function reliabilityPage(report: Report): string {
  const { date, machine, versions, seed, short, pace, tookMs, scenarios } = report;
  const command = `npm run test:faults -- ${short ? '--short --write ' : ''}--seed ${seed}`;
  return `# Reliability

The faults that \`npm run test:faults\` causes in the system, and their results. The command writes this page; do not edit
it by hand.

| | |
| --- | --- |
| date | ${date} |
| machine | ${machine} |
| versions | ${versions.join(', ')} |
| seed | ${seed} |
| took | ${minutes(tookMs)} |
| again | \`${command}\` |

## How

Each scenario has a system of its own: 2 apis, 3 workers (10 jobs at once each) and a notifier, as processes from source,
with an empty RabbitMQ and a new database. A client posts ${pace.perSecond} jobs a second until ${pace.jobs} have been
answered with 202 and the faults are over; every tenth is delayed by 0.3 to 2 s. A job calls an HTTP server outside the
system, which takes 20 to 500 ms to answer and keeps every call in a database that no fault touches. A post that gets no
202 is not repeated: the next one is another job. Every 25th job is watched at the notifier by a client of its own, which
connects again when its stream breaks off. Processes that are killed are started again.${
    pace.reconcileMs ? ` The system runs with RECONCILE_MS=${pace.reconcileMs}.` : ''
  }

What counts does not come from the system itself: calls are counted by the server that is called, and changes of status
by a trigger in the database. A scenario fails when a job

- was answered with 202 and is not stored (lost), or is not finished ${duration(pace.patienceMs)} after the load (stuck);
- does not succeed, has another result than its own, reaches no or two terminal states, or leaves one again;
- was started before it was due;
- was watched, and its watcher has not heard of its end;
- was given back or finished by another attempt than the one that ran;
- ran more often than it has attempts, or has an attempt that nothing on its row accounts for;
- was tried again for a cause that the fault does not make unavoidable (the column says which ones do);

or when a process ends by itself, or with another exit code than 0 after SIGTERM.

## Scenarios

${scenarioTable(scenarios)}

*Run twice*: jobs that were called more than once. *Tried again*: jobs with more than one attempt, whether or not an
earlier one came as far as the call, and why: *worker lost* is an attempt whose worker died or lost its delivery, *given
back* one that a worker had to let go of and said so. *Recovery*, of each fault: for every job that was running and came to
another attempt, whose dispatch message waited in the RabbitMQ that was killed, or that was accepted by the api that was killed and not
dispatched, the time from the fault until it ran (again); where there was no such job, the longest time after the fault in which
no job was started. The outage itself is part of it.

${lateSection(scenarios)}${refusedSection(scenarios)}## Measurements

${measurementTable(report.measurements)}

${measuredSections(report)}${failureSection(report)}## Which faults

| fault | what is done |
| --- | --- |
| \`kill -9\` | SIGKILL; another process takes its place at once. Repeated ${times(pace.rounds)} |
| an api killed before the dispatch message | its messages to RabbitMQ are held back, so that it answers 202 without dispatching; then SIGKILL |
| RabbitMQ killed or wiped | after ${pace.burst} posts at once, so that it has dispatch messages to lose. Its data are deleted and it starts empty; or it starts with them |
| RabbitMQ's memory alarm | its limit is set below what it uses, for ${duration(pace.alarmMs)}: it takes nothing from publishers |
| the table of jobs locked | \`lock table jobs in access exclusive mode\` for ${duration(pace.lockMs)}: every connection of every pool waits |
| a worker frozen | SIGSTOP, and SIGCONT ${duration(pace.freezeMs)} later${pace.heartbeatSeconds ? ` (with an AMQP heartbeat of ${pace.heartbeatSeconds} s)` : ''} |
| a worker thawed | SIGSTOP until another worker runs one of its jobs again, which takes 5 s; then SIGCONT |
| a worker cut off | a reset and no new connections for ${duration(pace.cutMs)}; then silence for ${duration(pace.silenceMs)}, in which nothing arrives and nothing says so |
| clocks | \`Date\` is shifted in two apis and two of the workers, by an hour ahead and behind |
| mixed | two sequences of ${pace.mixed} faults at once, one of servers and one of processes, drawn from the seed |

With \`--only\`, the names are: ${scenarios.map(({ scenario }) => `\`${scenario.name}\``).join(', ')}, \`takeover\`,
\`without-broker\`, \`browsers\` and \`webhooks\`. \`--short\` is the form that CI runs.
`;
}

/** A table for the page and the terminal. */
export function scenarioTable(scenarios: readonly ScenarioResult[]): string {
  const head =
    '| | scenario | accepted | finished | lost | stuck | run twice | tried again | unavoidable | faults | recovery: median | worst |';
  const rows = scenarios.map(({ scenario, played, failures }) => {
    const { title, allowed } = scenario;
    const start = [failures.length === 0 ? 'pass' : '**FAIL**', title];
    if (!played) return `| ${[...start, ...Array(10).fill('–')].join(' | ')} |`;
    const { accepted, keptUnheard, finished, lost, stuck, ranAgain, triedAgain, recoveries } = played;
    const why = Object.entries(triedAgain).map(([cause, count]) => `${count} ${cause}`);
    const times = recoveries.flatMap(({ ms }) => ms);
    const cells = [
      ...[accepted, keptUnheard === 0 ? finished : `${finished} (${keptUnheard} without a 202)`, lost, stuck, ranAgain],
      ...[why.join(', ') || '0', allowed.join(', ') || 'none', recoveries.length],
      ...[duration(median(times)), duration(worst(times))],
    ];
    return `| ${[...start, ...cells].join(' | ')} |`;
  });
  return [head, `|${' --- |'.repeat(12)}`, ...rows].join('\n');
}

/** A table of the measurements. */
export function measurementTable(measurements: readonly MeasurementResult[]): string {
  const rows = measurements.map(({ title, measured, failures }) => {
    const verdict = failures.length === 0 ? 'pass' : '**FAIL**';
    return `| ${[verdict, title, measured?.measured ?? '–', measured?.goal ?? '–'].join(' | ')} |`;
  });
  return ['| | what | measured | goal |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

function lateSection(scenarios: readonly ScenarioResult[]): string {
  const lines = scenarios.flatMap(({ scenario: { name, title }, played }) => {
    if (!played || !['none', 'clock'].includes(name) || played.lateMs.length === 0) return [];
    const { lateMs } = played;
    const measured = `${duration(median(lateMs))} at the median, ${duration(worst(lateMs))} at worst`;
    return [`- ${title}: ${measured} (${lateMs.length} jobs)`];
  });
  return lines.length === 0 ? '' : `Delayed jobs, from when they were due until they ran:\n\n${lines.join('\n')}\n\n`;
}

function refusedSection(scenarios: readonly ScenarioResult[]): string {
  const lines = scenarios.flatMap(({ scenario: { title }, played }) => {
    const refused = Object.entries(played?.refused ?? {}).map(([why, count]) => `${count} × ${why}`);
    return refused.length === 0 ? [] : [`- ${title}: ${refused.join(', ')}`];
  });
  return lines.length === 0 ? '' : `Posts that got no 202:\n\n${lines.join('\n')}\n\n`;
}

/** The section of a measurement, with its date and the command that repeats it. */
export function datedSection(
  section: string,
  made: { name: string; seed: number; tookMs: number; date?: string },
): string {
  const { name, seed, tookMs, date = new Date().toISOString().slice(0, 10) } = made;
  return `${section.trimEnd()}\n\n(${date}, ${minutes(tookMs)}; again: \`npm run ${name} -- --seed ${seed}\`)\n`;
}

function measuredSections({ measurements, seed, date }: Report): string {
  const sections = measurements.flatMap(({ name, tookMs, measured }) =>
    measured?.section === undefined ? [] : [datedSection(measured.section, { name, seed, tookMs, date })],
  );
  return sections.map((section) => `${section}\n`).join('');
}

function failureSection({ scenarios, measurements }: Report): string {
  const all = [...scenarios.map(({ scenario, failures }) => ({ title: scenario.title, failures })), ...measurements];
  const lines = all.flatMap(({ title, failures }) => failures.map((failure) => `- ${title}: ${failure}`));
  return lines.length === 0 ? '' : `## What failed\n\n${lines.join('\n')}\n\n`;
}

const minutes = (ms: number): string => `${(ms / 60_000).toFixed(1)} minutes`;
const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);
