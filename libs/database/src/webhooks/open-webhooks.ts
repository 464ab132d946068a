import type { WebhookDelivery } from '@offload/jobs/webhooks';
import type { Pool } from 'pg';
import type { Prisma } from '../open-prisma.ts';
import { shareStatement } from '../share-statement.ts';
import { orUnavailable } from '../unavailable.ts';
import { countPendingWebhooks, listWebhooks, redeliverWebhook } from './read-webhooks.ts';
import { endReceiver, recordAttempts, releaseWebhook, type RecordedAttempt } from './record-attempts.ts';
import { expireWebhooks, moveWebhooks, registerEndpoints, type WebhookEndpoint } from './register-endpoints.ts';
import { takeWebhooks, type Take, type TakenWebhook, type Taking } from './take-webhooks.ts';

/**
 * Webhook endpoints and deliveries in PostgreSQL. Each statement that finishes a job also stores its webhook
 * deliveries.
 */
export interface Webhooks {
  /** Stores configured endpoints for an hour. Pending webhooks of an endpoint with a new URL go to the new URL. */
  register(endpoints: readonly WebhookEndpoint[]): Promise<void>;
  /** Takes due webhooks for this caller alone, until their lease is over. */
  take(taking: Taking): Promise<Take>;
  /** Records the outcome of an attempt. */
  record(attempt: RecordedAttempt): Promise<void>;
  /** Gives a taken webhook back that was not sent: it is due at once, and the try does not count. */
  release(taken: Pick<TakenWebhook, 'id' | 'attempt'>): Promise<void>;
  /** Gives up all pending webhooks of a receiver that answered 410. */
  endReceiver(taken: Pick<TakenWebhook, 'id' | 'host' | 'url' | 'endpoint'>): Promise<void>;
  /** Lists the webhook deliveries of a job, oldest first. @returns null if there is no such job */
  list(jobId: string): Promise<WebhookDelivery[] | null>;
  /**
   * Makes a webhook delivery pending again. @returns null if there is none, `endpoint-removed` if no notifier could
   * send it
   */
  redeliver(id: string): Promise<WebhookDelivery | 'endpoint-removed' | null>;
  /** Gives up webhook deliveries that no notifier will send. @returns how many */
  expire(): Promise<number>;
  /** Counts pending webhook deliveries, and how long the oldest due one has been due, in milliseconds. */
  countPending(): Promise<{ pending: number; oldestDueMs: number }>;
}

/** Makes the store of webhooks on a pool. */
export function openWebhooks(pool: Pool, prisma: Prisma): Webhooks {
  return {
    async register(endpoints) {
      await orUnavailable(() => registerEndpoints(pool, endpoints));
      await orUnavailable(() => moveWebhooks(pool));
    },
    take: (taking) => orUnavailable(() => takeWebhooks(pool, taking)),
    record: shareStatement((attempts: RecordedAttempt[]) => recordAttempts(pool, attempts)),
    release: (taken) => orUnavailable(() => releaseWebhook(pool, taken)),
    endReceiver: (taken) => orUnavailable(() => endReceiver(pool, taken)),
    list: (jobId) => orUnavailable(async () => listWebhooks(await prisma.client(), jobId)),
    expire: () => orUnavailable(() => expireWebhooks(pool)),
    redeliver: (id) => orUnavailable(() => redeliverWebhook(pool, id)),
    countPending: () => orUnavailable(() => countPendingWebhooks(pool)),
  };
}
