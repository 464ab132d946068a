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

/** A webhook that is to be sent. */
export interface UnsentWebhook {
  /** The `webhook-id`, the same at each attempt. */
  id: string;
  url: string;
  /** As it was when it ended. */
  job: Job;
  /** It is signed with each of them. */
  secrets: readonly string[];
}

export interface SendWebhookOptions {
  /** Begins `links.events`. */
  notifierUrl: string;
  timeoutMs: number;
  signal: AbortSignal;
}

/** What became of one request. */
export interface Answer {
  /** `delivered` is any 2xx, `gone` is 410; what is `refused` can't be sent there, now or later. */
  kind: 'delivered' | 'gone' | 'failed' | 'refused';
  /** HTTP status; null where there was no response. */
  status: number | null;
  /** Why it was not delivered; null where it was. */
  error: string | null;
  /** What the receiver asked for, in milliseconds. */
  retryAfterMs?: number | undefined;
  /** The address inside that a refused target led to: for the log alone. */
  address?: string | undefined;
  /** Whether the host gave no answer, or one that says it is in trouble; null when it was not asked. */
  hostFailed: boolean | null;
}

/** Of a response that nobody reads, so much is taken in, for so long, that its connection can be used again. */
const MAX_RESPONSE_BYTES = 16 * 1024;
const DRAIN_MS = 250;

/**
 * Writes, signs and sends a webhook once. Redirects are not followed: they are failures, as is all that is no 2xx.
 *
 * Rejects with the signal's reason when it fires before there is an answer.
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
      const drained = bytes().catch(() => undefined); // too long, or cut off: the status was there
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
 * A webhook as https://www.standardwebhooks.com has it: a CloudEvent in JSON, signed with each secret. Its id and body
 * are the same at each attempt, the time and so the signature are of this one.
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
