import type { FinalRow } from '../final-rows.ts';
import { duration, median, quantile, worst } from '../statistics.ts';
import type { Measured } from '../unit.ts';
import type { Watched } from './audience.ts';
import type { Outage, Played, PlayParts } from './play.ts';

/** The results of the measurement. */
export interface Findings extends Played {
  watched: readonly Watched[];
  rows: readonly FinalRow[];
  blows: PlayParts['blows'];
  failures: string[];
}

/** Describes the results, as a row of the table and as a section. */
export function describe({ watched, rows, blows, outages, cancels, failures }: Findings): Measured {
  const finishedAt = new Map(rows.map(({ id, finishedAt: at }) => [id, at]));
  const late = watched.flatMap(({ jobId, endedAt, throughReconnect }) => {
    const at = finishedAt.get(jobId);
    return endedAt === undefined || at === undefined || at === null
      ? []
      : [{ ms: Math.max(0, endedAt - at), at, throughReconnect }];
  });
  const whileAway = late.filter(({ at }) => outages.some((outage) => isIn(outage, at)));
  const calm = late.filter((each) => !whileAway.includes(each));
  const again = watched.reduce((sum, { reconnects }) => sum + reconnects, 0);
  const ends = ['succeeded', 'failed', 'cancelled'].map(
    (status) => `${rows.filter((row) => row.status === status).length} ${status}`,
  );
  const through = late.filter(({ throughReconnect }) => throughReconnect).length;
  const brokers = blows.filter(([, blow]) => blow === 'RabbitMQ').length;
  const notifiers = blows.length - brokers;
  const kills = `RabbitMQ killed ${times(brokers)}, a notifier ${times(notifiers)}`;
  const spread = (found: readonly { ms: number }[]): string => {
    const ms = found.map((each) => each.ms);
    return ms.length === 0
      ? '–'
      : `${duration(median(ms))} at the median, ${duration(quantile(ms, 0.99))} for 99 %, ${duration(worst(ms))} at worst (${ms.length})`;
  };
  const answers = [...cancels].sort(([one], [other]) => one - other).map(([status, count]) => `${count} × ${status}`);

  return {
    measured: `${kills}; ${watched.length} browsers connected again ${times(again)}; from a job's end to its browser ${spread(late)}`,
    goal: "every browser ends with its job's final state",
    failures,
    section: `## Browsers

${watched.length} jobs of 0.2 to 3 s, each watched by a browser of its own from its 202 on; one in ten times out, two in ten
are cancelled over HTTP, some of them while RabbitMQ is away. An api, two workers of ten jobs each, and two notifiers behind one address. ${kills} with SIGKILL
while jobs run, and started again. A browser connects again as the HTML standard has it, and gives up for good at any answer
that is no stream. Every one must end with the status, version, result and error of its job's row, must have seen versions
that grow, and must be done ${failures.length === 0 ? 'in the end; every one was' : 'in the end'}.

| | |
| --- | --- |
| jobs | ${ends.join(', ')}; cancels answered ${answers.join(', ')} |
| connected again | ${times(again)} |
| heard of the end by the first event of a stream that was opened again | ${through} |
| from the end (row) to the browser, while nothing was away | ${spread(calm)} |
| the same of jobs that ended while RabbitMQ or a notifier was away | ${spread(whileAway)} |
`,
  };
}

function isIn({ from, until }: Outage, at: number): boolean {
  return at >= from && at <= until;
}

const times = (count: number): string => (count === 1 ? 'once' : count === 2 ? 'twice' : `${count} times`);
