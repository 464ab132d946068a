import { join } from 'node:path';
import { readFinalRows } from '../final-rows.ts';
import type { Ground } from '../ground.ts';
import { keepLogs } from '../keep-logs.ts';
import { openFleet } from '../open-fleet.ts';
import { orAbort } from '../or-abort.ts';
import type { Pace } from '../pace.ts';
import { seededRandom } from '../random.ts';
import type { Measured, MeasureOptions } from '../unit.ts';
import { warningsIn } from '../warnings.ts';
import { openAudience } from './audience.ts';
import { openBalancer } from './balancer.ts';
import { describe } from './describe.ts';
import { play } from './play.ts';
import { judge } from './verdict.ts';

const NAME = 'browsers';
const COUNT = { api: 1, worker: 2, notifier: 2 };
const CONCURRENCY = 10;
/** Time after the last job in milliseconds: more than the 30 s after which a notifier looks for missed events. */
const BROWSERS_PATIENCE_MS = 45_000;

/** Measures whether every browser gets the final status of its job while RabbitMQ and notifiers are killed. */
export async function measureBrowsers(ground: Ground, pace: Pace, options: MeasureOptions): Promise<Measured> {
  const { seed, deadline, logs, say } = options;
  let notifiers: () => string[] = () => [];
  const balancer = await openBalancer(() => notifiers());
  const audience = openAudience();
  try {
    const { fleet, databaseUrl } = await openFleet(ground, COUNT, {
      ...{ LOG_LEVEL: 'info', NOTIFIER_URL: balancer.url, WORKER_CONCURRENCY: String(CONCURRENCY) },
      MAX_STREAMS: '1000000', // all browsers have one address
      ...(pace.reconcileMs === undefined ? {} : { RECONCILE_MS: String(pace.reconcileMs) }),
    });
    notifiers = () => fleet.of('notifier').flatMap(({ process }) => (process ? [process.url] : []));
    let measured: Measured | undefined;
    try {
      const proving = prove();
      return (measured = await orAbort(proving, deadline));
    } finally {
      await audience.close(0);
      const outputs = await fleet.close();
      measured?.failures.push(...warningsIn(outputs));
      if (measured?.failures.length !== 0) await keepLogs(join(logs, NAME), outputs);
    }

    async function prove(): Promise<Measured> {
      const { browsers: jobs, browserBlows: blows, patienceMs } = pace;
      const slots = COUNT.worker * CONCURRENCY;
      const random = seededRandom(seed, NAME);
      const played = await play({ ground, fleet, databaseUrl, audience, jobs, blows, slots, random, patienceMs, say });
      await audience.close(BROWSERS_PATIENCE_MS);
      const rows = await readFinalRows(databaseUrl);
      const odd = [...played.cancels].filter(([status]) => ![200, 202, 409].includes(status));
      const failures = [
        ...judge(audience.watched, rows),
        ...odd.map(([status, count]) => `${count} cancels answered with ${status}`),
        ...fleet.surprises,
      ];
      return describe({ watched: audience.watched, rows, ...played, failures, blows });
    }
  } finally {
    balancer.close();
  }
}
