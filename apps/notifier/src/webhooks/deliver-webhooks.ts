import { setMaxListeners } from 'node:events';
import { webhookEvent } from '@offload/jobs/webhooks';
import { DatabaseUnavailableError } from '@offload/database';
import type { RecordedAttempt, TakenWebhook, Webhooks } from '@offload/database/webhooks';
import type { Outbound } from '@offload/outbound';
import { delay, setTimer, startLoop, type Logger, type Registry } from '@offload/process';
import type { SignedEndpoint } from './endpoints.ts';
import { createHosts } from './hosts.ts';
import { retryDelay } from './retry-schedule.ts';
import { sendWebhook, type Answer } from './send-webhook.ts';
import { webhookMetrics } from './webhook-metrics.ts';

/** How often to look when nobody says that there is something to do. */
const POLL_MS = 1_000;
/** So soon after a look that found nothing there is no other: most events are of jobs without webhooks. */
const QUIET_MS = 20;
/** How long after its attempt must be over a webhook is still its taker's, so that what became of it can be written. */
const LEASE_SLACK_MS = 10_000;
const RECORD_RETRY_MS = 500;
/** Most bytes of jobs under way: each is in memory several times over while it is written, signed and sent. */
const MOST_BYTES = 16 * 1024 * 1024;
/** How often the database is told which endpoints there are, and what nobody will send is given up. */
const UPKEEP_MS = 30_000;
const ends: ReadonlySet<string> = new Set(webhookEvent.options.map((event) => `job.${event}`));

export interface DeliverWebhooksParts {
  webhooks: Webhooks;
  outbound: Outbound;
  metrics: Registry;
  log: Logger;
  notifierUrl: string;
  /** All configured endpoints. */
  endpoints: readonly SignedEndpoint[];
  /** What jobs' own webhooks are signed with; without any they are left to others. */
  secrets: readonly string[];
  /** How long one attempt may take, in milliseconds. */
  timeoutMs: number;
  /** Most attempts at once, of this process. */
  concurrency: number;
  /** Most of them to one host. */
  concurrencyPerHost: number;
  /** Seconds to wait after the first attempt that failed, the second and so on. */
  retrySeconds: readonly number[];
}

/** Sends what is pending, with all other notifiers that do so. */
export interface WebhookDelivery {
  /** The doorbell: after the end of a job there may be something to send. @param routingKey what has happened to one */
  hear(routingKey: string): void;
  /** Takes no more, and lets attempts go on for so long; those that are not over by then are given back. */
  stop(graceMs: number): Promise<void>;
}

export function startWebhookDelivery(parts: DeliverWebhooksParts): WebhookDelivery {
  const { webhooks, outbound, log, notifierUrl, endpoints, secrets, timeoutMs, concurrency, retrySeconds } = parts;
  const leaseMs = timeoutMs + LEASE_SLACK_MS;
  const secretsOf = new Map<string | null, readonly string[]>(endpoints.map(({ name, secrets }) => [name, secrets]));
  const names = endpoints.map(({ name }) => name);
  const hosts = createHosts(parts.concurrencyPerHost, parts.metrics);
  const underWay = new Set<Promise<void>>();
  const metrics = webhookMetrics(parts.metrics, { webhooks, inFlight: () => underWay.size });
  const letGo = new AbortController();
  setMaxListeners(0, letGo.signal); // each attempt listens
  let bytesUnderWay = 0;
  let quietUntil = 0;
  /** Where the last look ended, '' where the next one begins to go around, and whether this time around anything was found. */
  let after = '';
  let isIdle = true;

  async function upkeep(): Promise<number> {
    await webhooks.register(endpoints);
    const ended = await webhooks.expire();
    if (ended > 0) log.warn({ ended }, 'webhooks given up: pending for more than a day, or to an endpoint nobody has');
    return UPKEEP_MS;
  }

  async function round(): Promise<number> {
    const quietMs = quietUntil - performance.now();
    if (quietMs > 0) await delay(quietMs);
    const [limit, maxBytes] = [concurrency - underWay.size, MOST_BYTES - bytesUnderWay];
    if (limit <= 0 || maxBytes <= 0) return POLL_MS; // whoever ends wakes us
    const room = { perHost: parts.concurrencyPerHost, room: hosts.room(), after };
    const whose = { endpoints: names, jobsOwn: secrets.length > 0 };
    const { taken, next } = await webhooks.take({ limit, maxBytes, ...room, ...whose, leaseMs });
    for (const each of taken) begin(each);
    isIdle = taken.length === 0 && (isIdle || after === '');
    // Begun in the middle, it has not seen the hosts before that: once more, from the beginning.
    const isAround = next === '' && (after === '' || isIdle);
    after = next;
    if (!isAround) return 0;
    if (isIdle) quietUntil = performance.now() + QUIET_MS;
    return POLL_MS;
  }

  const keeping = startLoop({ name: 'upkeep of webhooks', round: upkeep, retryMs: POLL_MS, log });
  const loop = startLoop({ name: 'delivery of webhooks', round, retryMs: POLL_MS, log });

  function begin(taken: TakenWebhook): void {
    hosts.begin(taken.host);
    bytesUnderWay += taken.bytes;
    const work = deliver(taken)
      .catch((error: Error) => log.error({ err: error, webhookId: taken.id }, 'left for another attempt'))
      .finally(() => {
        underWay.delete(work);
        bytesUnderWay -= taken.bytes;
        loop.wake(); // its place is free
      });
    underWay.add(work);
  }

  async function deliver(taken: TakenWebhook): Promise<void> {
    const { id, endpoint, url, host, job, attempt } = taken;
    const started = performance.now();
    let answer: Answer | null = null;
    try {
      const webhook = { id, url, job, secrets: secretsOf.get(endpoint) ?? secrets };
      answer = await sendWebhook(outbound, webhook, { notifierUrl, timeoutMs, signal: letGo.signal });
    } catch (error) {
      if (!letGo.signal.aborted) throw error;
    } finally {
      hosts.end(host, answer?.hostFailed ?? null);
    }
    if (answer === null) return webhooks.release(taken);
    const durationMs = Math.round(performance.now() - started);
    const outcome = outcomeOf(answer, taken);
    metrics.attempt(answer.kind === 'gone' ? 'gone' : outcome.kind, durationMs);
    const { status, error, address } = answer;
    const what = { webhookId: id, jobId: job.id, endpoint, host, attempt, status, error, address, durationMs };
    if (outcome.kind === 'failed') log.warn(what, 'webhook given up');
    else log.debug(what, outcome.kind);
    await written(async () => {
      if (answer.kind === 'gone') await webhooks.endReceiver(taken);
      await webhooks.record({ id, attempt, outcome, entry: { durationMs, status, error } });
    });
  }

  function outcomeOf({ kind, retryAfterMs }: Answer, { tries, pendingMs }: TakenWebhook): RecordedAttempt['outcome'] {
    if (kind === 'delivered') return { kind };
    const delayMs = kind === 'failed' ? retryDelay({ tries, pendingMs, retryAfterMs }, retrySeconds) : null;
    return delayMs === null ? { kind: 'failed' } : { kind: 'retry', delayMs };
  }

  /** What happened is to be written, however long the database is away; who took it since sends it again. */
  async function written(write: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await write();
      } catch (error) {
        if (!(error instanceof DatabaseUnavailableError) || letGo.signal.aborted) throw error;
      }
      await delay(RECORD_RETRY_MS, undefined, { signal: letGo.signal }).catch(() => undefined); // then it is tried once more
    }
  }

  return {
    hear: (routingKey) => void (ends.has(routingKey) && loop.wake()),
    async stop(graceMs) {
      const timer = setTimer(() => letGo.abort(new Error('the notifier stops')), graceMs);
      await Promise.all([keeping.stop(), loop.stop()]);
      await Promise.all(underWay);
      clearTimeout(timer);
    },
  };
}
