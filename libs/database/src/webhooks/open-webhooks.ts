import type { WebhookDelivery } from '@offload/jobs/webhooks';
import type { Pool } from 'pg';
import type { Prisma } from '../open-prisma.ts';
import { shareStatement } from '../share-statement.ts';
import { orUnavailable } from '../unavailable.ts';
import { countPendingWebhooks, listWebhooks, redeliverWebhook } from './read-webhooks.ts';
import { endReceiver, recordAttempts, releaseWebhook, type RecordedAttempt } from './record-attempts.ts';
import { expireWebhooks, moveWebhooks, registerEndpoints, type WebhookEndpoint } from './register-endpoints.ts';
import { takeWebhooks, type Take, type TakenWebhook, type Taking } from './take-webhooks.ts';

/** What the system asks of PostgreSQL about webhooks; they are pending by whatever ends a job. */
export interface Webhooks {
  /** Keeps these configured endpoints for an hour; what is pending for one whose URL has changed goes to the new one. */
  register(endpoints: readonly WebhookEndpoint[]): Promise<void>;
  /** Takes webhooks that are due, for the caller alone. */
  take(taking: Taking): Promise<Take>;
  /** Records what an attempt came to. */
  record(attempt: RecordedAttempt): Promise<void>;
  /** Gives back one that was taken and not sent to its end: due at once, and no try is used up. */
  release(taken: Pick<TakenWebhook, 'id' | 'attempt'>): Promise<void>;
  /** The receiver of this webhook wants no more: all else that is pending there is given up. */
  endReceiver(taken: Pick<TakenWebhook, 'id' | 'host' | 'url' | 'endpoint'>): Promise<void>;
  /** @returns the webhooks of a job, oldest first; null when there is no such job */
  list(jobId: string): Promise<WebhookDelivery[] | null>;
  /** Owes a webhook again. @returns null when there is no such webhook */
  redeliver(id: string): Promise<WebhookDelivery | 'endpoint-removed' | null>;
  /** Gives up what nobody will send. @returns how many */
  expire(): Promise<number>;
  /** How many are pending, and for how long the one that is due for longest has been. */
  countPending(): Promise<{ pending: number; oldestDueMs: number }>;
}

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
