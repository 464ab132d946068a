import { eventOf, jobEvent, withLinks, type Job } from '@offload/jobs';
import { Webhook } from 'standardwebhooks';

/** A webhook as it goes over the wire. */
export interface WrittenWebhook {
  headers: Record<string, string>;
  body: string;
}

/**
 * Writes a webhook as https://www.standardwebhooks.com has it: a CloudEvent in JSON, signed with each secret. Its id and
 * body are the same at each attempt, the time and so the signature are of this one.
 *
 * @param id the `webhook-id`
 * @param job as it was when it ended
 * @param notifierUrl begins `links.events`
 */
export function writeWebhook(
  { id, job, secrets }: { id: string; job: Job; secrets: readonly string[] },
  notifierUrl: string,
): WrittenWebhook {
  const body = JSON.stringify(eventOf(withLinks(job, notifierUrl)));
  const now = new Date();
  return {
    headers: {
      'content-type': `${jobEvent.contentType}; charset=utf-8`,
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
      'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, now, body)).join(' '),
    },
    body,
  };
}
