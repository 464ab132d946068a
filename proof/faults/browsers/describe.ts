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
  const kills = `RabbitMQ is killed ${times(brokers)}, and a notifier ${times(notifiers)}`;
  const spread = (found: readonly { ms: number }[]): string => {
    const ms = found.map((each) => each.ms);
    return ms.length === 0
      ? '–'
      : `${duration(median(ms))} at the median, ${duration(quantile(ms, 0.99))} for 99 %, ${duration(worst(ms))} at worst (${ms.length})`;
  };
  const answers = [...cancels].sort(([one], [other]) => one - other).map(([status, count]) => `${count} × ${status}`);

  return {
    measured: `${kills}. The ${watched.length} browsers reconnected ${times(again)}. From final status to browser: ${spread(late)}`,
    goal: "every browser receives its job's final status",
    failures,
    section: `## Browsers

The suite submits ${watched.length} jobs of 0.2 to 3 s. A browser of its own watches each job from its 202 on. One job in ten times
out. Clients cancel two in ten over HTTP, some of them while RabbitMQ is away. The system has an api, two workers of ten jobs
each, and two notifiers behind one address. ${kills}, with SIGKILL while jobs run. Each is started again.

A browser reconnects as the HTML standard requires, and gives up if an answer is no stream. Every browser must receive
the status, version, result and error of its job's row. It must see growing versions, and must stop watching at the
end.${failures.length === 0 ? ' Every browser did.' : ''}

| | |
| --- | --- |
| jobs | ${ends.join(', ')}; answers to cancels: ${answers.join(', ')} |
| reconnects | ${again} |
| browsers that received the final status in the first event after a reconnect | ${through} |
| from the final status (row) to the browser, without an outage | ${spread(calm)} |
| the same, for jobs that finished while RabbitMQ or a notifier was away | ${spread(whileAway)} |
`,
  };
}

function isIn({ from, until }: Outage, at: number): boolean {
  return at >= from && at <= until;
}

const times = (count: number): string => (count === 1 ? 'once' : count === 2 ? 'twice' : `${count} times`);
