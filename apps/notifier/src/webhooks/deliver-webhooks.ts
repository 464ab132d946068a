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

/** Milliseconds between polls without an event. */
const POLL_MS = 1_000;
/**
 * Milliseconds after a poll that found nothing, in which there is no other: most events are of jobs without webhooks.
 */
const QUIET_MS = 20;
/** Milliseconds that a lease lasts beyond the timeout of its attempt, so that the outcome can be stored. */
const LEASE_SLACK_MS = 10_000;
const RECORD_RETRY_MS = 500;
/** Most bytes of jobs in running attempts: each is in memory several times while it is serialized, signed and sent. */
const MOST_BYTES = 16 * 1024 * 1024;
/**
 * Milliseconds between two registrations of the endpoints, at which webhooks that no notifier can send are given up.
 */
const UPKEEP_MS = 30_000;
const ends: ReadonlySet<string> = new Set(webhookEvent.options.map((event) => `job.${event}`));

/** What `startWebhookDelivery` needs. */
export interface DeliverWebhooksParts {
  webhooks: Webhooks;
  outbound: Outbound;
  metrics: Registry;
  log: Logger;
  notifierUrl: string;
  /** All configured endpoints. */
  endpoints: readonly SignedEndpoint[];
  /** Secrets that sign the webhooks of single jobs. Without any, other notifiers send those. */
  secrets: readonly string[];
  /** Most time for one attempt, in milliseconds. */
  timeoutMs: number;
  /** Most attempts of this process at once. */
  concurrency: number;
  /** Most attempts of this process to one host at once. */
  concurrencyPerHost: number;
  /** Seconds to wait after the first failed attempt, the second and so on. */
  retrySeconds: readonly number[];
}

/** Sends the webhooks that are pending, together with all other notifiers. */
export interface WebhookDelivery {
  /** Polls soon if the event may have made a webhook pending. @param routingKey the name of a job's event */
  hear(routingKey: string): void;
  /** Starts no attempt, and lets running ones go on for `graceMs` milliseconds. Returns the leases of the others. */
  stop(graceMs: number): Promise<void>;
}

/** Starts to send webhooks. */
export function startWebhookDelivery(parts: DeliverWebhooksParts): WebhookDelivery {
  const { webhooks, outbound, log, notifierUrl, endpoints, secrets, timeoutMs, concurrency, retrySeconds } = parts;
  const leaseMs = timeoutMs + LEASE_SLACK_MS;
  const secretsOf = new Map<string | null, readonly string[]>(endpoints.map(({ name, secrets }) => [name, secrets]));
  const names = endpoints.map(({ name }) => name);
  const hosts = createHosts(parts.concurrencyPerHost, parts.metrics);
  const underWay = new Set<Promise<void>>();
  const metrics = webhookMetrics(parts.metrics, { webhooks, inFlight: () => underWay.size });
  const letGo = new AbortController();
  setMaxListeners(0, letGo.signal); // each attempt adds a listener
  let bytesUnderWay = 0;
  let quietUntil = 0;
  /** Host at which the last poll ended, or '' to begin with the first; and whether this round has found any webhook. */
  let after = '';
  let isIdle = true;

  async function upkeep(): Promise<number> {
    await webhooks.register(endpoints);
    const ended = await webhooks.expire();
    if (ended > 0)
      log.warn({ ended }, 'webhooks given up: pending for more than a day, or to an endpoint that no notifier has');
    return UPKEEP_MS;
  }

  async function round(): Promise<number> {
    const quietMs = quietUntil - performance.now();
    if (quietMs > 0) await delay(quietMs);
    const [limit, maxBytes] = [concurrency - underWay.size, MOST_BYTES - bytesUnderWay];
    if (limit <= 0 || maxBytes <= 0) return POLL_MS; // the end of an attempt wakes the loop
    const room = { perHost: parts.concurrencyPerHost, room: hosts.room(), after };
    const whose = { endpoints: names, jobsOwn: secrets.length > 0 };
    const { taken, next } = await webhooks.take({ limit, maxBytes, ...room, ...whose, leaseMs });
    for (const each of taken) begin(each);
    isIdle = taken.length === 0 && (isIdle || after === '');
    // A poll that began in the middle has not seen the hosts before: poll once more from the first.
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
      .catch((error: Error) =>
        log.error(
          { err: error, webhookId: taken.id },
          'could not store the outcome of a webhook: another attempt follows',
        ),
      )
      .finally(() => {
        underWay.delete(work);
        bytesUnderWay -= taken.bytes;
        loop.wake(); // an attempt may start in this place
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

  /**
   * Stores the outcome, however long the database is away. If the lease ends before, another notifier sends it again.
   */
  async function written(write: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await write();
      } catch (error) {
        if (!(error instanceof DatabaseUnavailableError) || letGo.signal.aborted) throw error;
      }
      await delay(RECORD_RETRY_MS, undefined, { signal: letGo.signal }).catch(() => undefined); // one last try follows
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
