import type { Webhooks } from '@offload/database/webhooks';
import { Counter, Gauge, Histogram, type Registry } from '@offload/process';

/** Counts attempts, and queries the pending webhooks when the metrics are collected. */
export function webhookMetrics(
  registry: Registry,
  { webhooks, inFlight }: { webhooks: Pick<Webhooks, 'countPending'>; inFlight: () => number },
) {
  const registers = [registry];
  /**
   * A rise of `retry` means that receivers fail. A rise of `failed` means that they never get some webhooks. Read the
   * reason with `GET /v1/jobs/{id}/deliveries`, and send a webhook again with `POST /v1/deliveries/{id}/redeliver`.
   * The outcome `gone` means that an endpoint answered 410 and gets no more.
   */
  const attempts = new Counter({
    name: 'offload_webhook_attempts_total',
    help: 'Attempts to deliver webhooks by what they came to: delivered, retry, failed (given up) or gone (410)',
    labelNames: ['outcome'],
    registers,
  });
  /**
   * A rise means that receivers answer slowly. An attempt ends at WEBHOOK_TIMEOUT_MS. Receivers should acknowledge
   * first and work later.
   */
  const duration = new Histogram({
    name: 'offload_webhook_attempt_seconds',
    help: 'From the beginning of an attempt to its answer',
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 15],
    registers,
  });
  /**
   * At WEBHOOK_CONCURRENCY all the time means that the notifier is at its limit. Add notifiers, or raise the setting.
   */
  new Gauge({
    name: 'offload_webhooks_in_flight',
    help: 'Attempts under way',
    registers,
    collect() {
      this.set(inFlight());
    },
  });
  // One query serves both gauges of a collection.
  let counted: ReturnType<typeof webhooks.countPending> | null = null;
  const count = () =>
    (counted ??= webhooks
      .countPending()
      .catch(() => ({ pending: NaN, oldestDueMs: NaN }))
      .finally(() => (counted = null)));
  /**
   * Set an alarm here: growth means that notifiers do not keep up, or that none runs. Look at
   * `offload_webhooks_in_flight` and at the notifiers' logs.
   */
  new Gauge({
    name: 'offload_webhooks_oldest_due_seconds',
    help: 'For how long the webhook that has been due for longest is waiting, of all notifiers; NaN when not known',
    registers,
    async collect() {
      this.set((await count()).oldestDueMs / 1_000);
    },
  });
  /**
   * A rise means that receivers fail, or that webhooks arise faster than notifiers send them. Look at
   * `offload_webhook_hosts_open` first.
   */
  new Gauge({
    name: 'offload_webhooks_pending',
    help: 'Webhooks that are not delivered yet, of all notifiers; NaN when the database does not say',
    registers,
    async collect() {
      this.set((await count()).pending);
    },
  });
  return {
    attempt(outcome: string, durationMs: number): void {
      attempts.inc({ outcome });
      duration.observe(durationMs / 1_000);
    },
  };
}
