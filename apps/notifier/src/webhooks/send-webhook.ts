import type { Job } from '@offload/jobs';
import { withLinks } from '@offload/jobs/answers';
import { eventOf, jobEvent } from '@offload/jobs/events';
import {
  InvalidRequestError,
  NameTimeoutError,
  parseRetryAfter,
  RefusedTargetError,
  type Outbound,
} from '@offload/outbound';
import { delay } from '@offload/process';
import { Webhook } from 'standardwebhooks';

/** A webhook to send. */
export interface UnsentWebhook {
  /** The `webhook-id`, which is the same at each attempt. */
  id: string;
  url: string;
  /** The job as it was when it was finished. */
  job: Job;
  /** Each secret adds a signature. */
  secrets: readonly string[];
}

/** Options of {@link sendWebhook}. */
export interface SendWebhookOptions {
  /** Base URL of the notifiers, for `links.events`. */
  notifierUrl: string;
  timeoutMs: number;
  signal: AbortSignal;
}

/** The outcome of one request. */
export interface Answer {
  /** `delivered` is any 2xx, `gone` is 410. `refused` means that the target is not allowed, now or later. */
  kind: 'delivered' | 'gone' | 'failed' | 'refused';
  /** HTTP status; null where there was no response. */
  status: number | null;
  /** Why the webhook was not delivered; null where it was. */
  error: string | null;
  /** The receiver's `Retry-After`, in milliseconds. */
  retryAfterMs?: number | undefined;
  /** The internal address of a refused target, for the log only. */
  address?: string | undefined;
  /** Whether the host gave no answer, or 5xx or 429; null when no request was sent. */
  hostFailed: boolean | null;
}

/** Bytes of an ignored response body that are read, for a limited time, so that its connection can be reused. */
const MAX_RESPONSE_BYTES = 16 * 1024;
const DRAIN_MS = 250;

/**
 * Serializes, signs and sends a webhook once. Every answer but a 2xx is a failure, also a redirect, which is not
 * followed.
 *
 * Rejects with the signal's reason when the signal fires before there is an answer.
 */
export async function sendWebhook(
  outbound: Outbound,
  webhook: UnsentWebhook,
  { notifierUrl, timeoutMs, signal }: SendWebhookOptions,
): Promise<Answer> {
  const message = written(webhook, notifierUrl);
  const request = { url: webhook.url, method: 'POST', ...message, timeoutMs, signal, maxBytes: MAX_RESPONSE_BYTES };
  try {
    return await outbound.request(request, async ({ status, headers, bytes }) => {
      const drained = bytes().catch(() => undefined); // ignore a body that is too long or cut off: the status counts
      await Promise.race([drained, delay(DRAIN_MS, undefined, { ref: false })]);
      return judge(status, headers);
    });
  } catch (error) {
    if (signal.aborted && error === signal.reason) throw error;
    const refused = error instanceof RefusedTargetError || error instanceof InvalidRequestError;
    const { message } = error as Error;
    const address = error instanceof RefusedTargetError ? error.address : undefined;
    const hostFailed = refused || error instanceof NameTimeoutError ? null : true;
    return { kind: refused ? 'refused' : 'failed', status: null, error: message, address, hostFailed };
  }
}

/**
 * Makes the request of a webhook as https://www.standardwebhooks.com specifies it: a CloudEvent in JSON, signed with
 * each secret. Id and body are the same at each attempt; the time, and so the signature, are new.
 */
function written({ id, job, secrets }: UnsentWebhook, notifierUrl: string) {
  const body = JSON.stringify(eventOf(withLinks(job, notifierUrl)));
  const now = new Date();
  const headers = {
    'content-type': `${jobEvent.contentType}; charset=utf-8`,
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
    'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, now, body)).join(' '),
  };
  return { headers, body };
}

function judge(status: number, headers: Record<string, string>): Answer {
  if (status >= 200 && status < 300) return { kind: 'delivered', status, error: null, hostFailed: false };
  const hostFailed = status >= 500 || status === 429;
  if (status === 410) return { kind: 'gone', status, error: 'the receiver wants no more webhooks', hostFailed };
  const isRedirect = status >= 300 && status < 400;
  const error = isRedirect ? `it answered ${status}: redirects are not followed` : `it answered ${status}`;
  return { kind: 'failed', status, error, hostFailed, retryAfterMs: parseRetryAfter(headers['retry-after']) };
}
