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

\`npm run test:faults\` kills and cuts off parts of the system under load. It writes this page with the results. Don't edit the
page by hand.

| | |
| --- | --- |
| date | ${date} |
| machine | ${machine} |
| versions | ${versions.join(', ')} |
| seed | ${seed} |
| duration | ${minutes(tookMs)} |
| to repeat | \`${command}\` |

## How

Each scenario starts a system of its own, with an empty RabbitMQ and a new database. The system has 2 apis, 3 workers (10 jobs
at once each) and a notifier, which run from source. A client posts ${pace.perSecond} jobs a second. It stops when
${pace.jobs} jobs have been answered with 202 and the faults are over. Every tenth job is delayed by 0.3 to 2 s.

A job calls an HTTP server outside the system. That server takes 20 to 500 ms to answer, and stores every call in a database
that no fault touches. The client does not repeat a post that got no 202; its next post is another job. A client of its own
watches every 25th job at the notifier, and reconnects when its stream breaks off. Killed processes are started again.${
    pace.reconcileMs ? ` The system runs with RECONCILE_MS=${pace.reconcileMs}.` : ''
  }

The system does not count its own results. The called server counts calls, and a trigger in the database counts changes of
status. A scenario fails if a job

- was answered with 202 and is not stored (lost), or is not finished ${duration(pace.patienceMs)} after the load (stuck);
- does not succeed, or has the result of another job;
- does not reach exactly one final status, or leaves it again;
- was started before it was due;
- was watched, and its watcher did not receive the final event;
- was given back or finished by an attempt other than the one that ran;
- ran more often than it has attempts, or has an attempt that its row does not explain;
- was retried for a cause that the fault does not make unavoidable (a column of the table lists the unavoidable causes).

A scenario also fails if a process exits by itself, or exits with a code other than 0 after SIGTERM.

## Scenarios

${scenarioTable(scenarios)}

*Run twice*: jobs that called the server more than once. *Retried*: jobs with more than one attempt, even if an earlier
attempt ended before its call, with the cause. *Worker lost* means that the attempt's worker died or lost its delivery.
*Given back* means that the worker stopped the attempt and said so.

*Recovery* is a time for each fault. It includes the outage itself. It counts every job that

- was running and needed another attempt,
- or had its dispatch message in the killed RabbitMQ,
- or was accepted by the killed api and not yet dispatched.

The time is from the fault until the job ran (again). If there is no such job, it is the longest time after the fault in which
no job started.

${lateSection(scenarios)}${refusedSection(scenarios)}## Measurements

${measurementTable(report.measurements)}

${measuredSections(report)}${failureSection(report)}## Faults

| fault | method |
| --- | --- |
| \`kill -9\` | The suite sends SIGKILL, and at once starts another process in its place. It repeats that ${times(pace.rounds)} |
| an api killed before the dispatch message | A proxy holds back all that the api sends to RabbitMQ. So the api answers 202 and dispatches no job. Then it gets SIGKILL |
| RabbitMQ killed or wiped | The suite first sends ${pace.burst} posts at once, so that RabbitMQ has dispatch messages to lose. It restarts with its data or, if wiped, without |
| RabbitMQ's memory alarm | For ${duration(pace.alarmMs)}, RabbitMQ's limit is below its memory, so it accepts no messages from publishers |
| the table of jobs locked | \`lock table jobs in access exclusive mode\` for ${duration(pace.lockMs)}: every connection of every pool waits |
| a worker frozen | SIGSTOP, and SIGCONT ${duration(pace.freezeMs)} later${pace.heartbeatSeconds ? ` (with an AMQP heartbeat of ${pace.heartbeatSeconds} s)` : ''} |
| a worker thawed | SIGSTOP until another worker runs one of its jobs again, which takes 5 s; then SIGCONT |
| a worker cut off | The connection is reset, and new ones fail for ${duration(pace.cutMs)}. Later, for ${duration(pace.silenceMs)}, no data arrive and no error is reported |
| clocks | \`Date\` is shifted by an hour: ahead in one api and one worker, behind in another api and another worker |
| mixed | Two sequences of ${pace.mixed} faults run at once, one of servers and one of processes. The seed determines them |

\`--only\` accepts these names:

${scenarios.map(({ scenario }) => `\`${scenario.name}\``).join(', ')}, \`takeover\`, \`without-broker\`, \`browsers\`, \`webhooks\`

CI runs the form \`--short\`.
`;
}

/** A table for the page and the terminal. */
export function scenarioTable(scenarios: readonly ScenarioResult[]): string {
  const head =
    '| | scenario | accepted | finished | lost | stuck | run twice | retried | unavoidable | faults | recovery: median | worst |';
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
  return ['| | measurement | result | goal |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

function lateSection(scenarios: readonly ScenarioResult[]): string {
  const lines = scenarios.flatMap(({ scenario: { name, title }, played }) => {
    if (!played || !['none', 'clock'].includes(name) || played.lateMs.length === 0) return [];
    const { lateMs } = played;
    const measured = `${duration(median(lateMs))} at the median, ${duration(worst(lateMs))} at worst`;
    return [`- ${title}: ${measured} (${lateMs.length} jobs)`];
  });
  return lines.length === 0 ? '' : `Delayed jobs, from their due time until they ran:\n\n${lines.join('\n')}\n\n`;
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
  return `${section.trimEnd()}\n\n(${date}, ${minutes(tookMs)}; to repeat: \`npm run ${name} -- --seed ${seed}\`)\n`;
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
