import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { readFinalRows } from '../final-rows.ts';
import type { Ground } from '../ground.ts';
import { keepLogs } from '../keep-logs.ts';
import { openFleet } from '../open-fleet.ts';
import { orAbort } from '../or-abort.ts';
import type { Pace } from '../pace.ts';
import type { Measured, MeasureOptions } from '../unit.ts';
import { warningsIn } from '../warnings.ts';
import { startProgram } from '@offload/running-system';
import { readDeliveries } from './deliveries.ts';
import { describe } from './describe.ts';
import { ENDPOINTS } from './jobs.ts';
import { play } from './play.ts';
import { GONE_PATH, type Report } from './report-of-receiver.ts';
import { judge } from './verdict.ts';

const NAME = 'webhooks';
const COUNT = { api: 1, worker: 2, notifier: 3 };
/** Each address is a host of its own for the senders. */
const ADDRESSES = ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5'];
const TIMEOUT_MS = 1_500;
/** Number of retries, one second apart: more than in any run. */
const RETRIES = 120;

/** Measures whether every webhook arrives at receivers that fail in every way, while notifiers are killed. */
export async function measureWebhooks(ground: Ground, pace: Pace, options: MeasureOptions): Promise<Measured> {
  const { seed, deadline, logs, say } = options;
  const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`;
  // An endpoint has two secrets during a change.
  const secrets = { hook: [newSecret()], audit: [newSecret(), newSecret()], closing: [newSecret()] };
  const receiver = startProgram('proof/faults/webhooks/receiver.ts', {
    ...{ ADDRESSES: ADDRESSES.join(), SEED: String(seed), SECRETS: JSON.stringify(secrets) },
  });
  try {
    const { hosts, control } = (await receiver.line(({ msg }) => msg === 'listening')) as unknown as Listening;
    const asked = async (path: string): Promise<Report> =>
      (await (await fetch(`http://127.0.0.1:${control}${path}`)).json()) as Report;
    const endpoints = ENDPOINTS.map((name, index) => ({
      ...{ name, url: `http://${hosts[index]}/${name}/all`, tags: [name], secrets: secrets[name] },
    }));
    const { fleet, databaseUrl } = await openFleet(ground, COUNT, {
      ...{ LOG_LEVEL: 'info', WORKER_CONCURRENCY: '20', ALLOW_PRIVATE_TARGETS: 'true' },
      ...{ WEBHOOK_SECRETS: secrets.hook.join(), WEBHOOK_ENDPOINTS: JSON.stringify(endpoints) },
      ...{ WEBHOOK_TIMEOUT_MS: String(TIMEOUT_MS), WEBHOOK_RETRY_SECONDS: Array(RETRIES).fill(1).join() },
      ...{ WEBHOOK_CONCURRENCY_PER_HOST: '25' },
    });
    let measured: Measured | undefined;
    try {
      return (measured = await orAbort(prove(), deadline));
    } finally {
      const outputs = await fleet.close();
      measured?.failures.push(...warningsIn(outputs));
      if (measured?.failures.length !== 0) await keepLogs(join(logs, NAME), outputs);
    }

    async function prove(): Promise<Measured> {
      const { webhooks: jobs, webhookKills: kills, patienceMs } = pace;
      const close = async (kind: string): Promise<void> => void (await asked(GONE_PATH + kind));
      const killed = await play({ fleet, databaseUrl, hosts, jobs, kills, close, patienceMs, say });
      const [rows, deliveries, report] = await Promise.all([
        readFinalRows(databaseUrl),
        readDeliveries(databaseUrl),
        asked('/'),
      ]);
      const verdict = judge({ jobs, rows, deliveries, report });
      const failures = [
        ...verdict.failures,
        ...(killed === kills
          ? []
          : [`a notifier was killed ${killed} times while webhooks were pending, not ${kills}`]),
        ...fleet.surprises,
      ];
      return describe({ ...verdict, killed, rows, deliveries, report, failures });
    }
  } finally {
    await receiver.kill('SIGKILL');
  }
}

interface Listening {
  /** Addresses with ports. */
  hosts: string[];
  /** A port of 127.0.0.1. */
  control: number;
}
