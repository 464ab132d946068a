import { jobId } from '@offload/jobs';
import { clientOf, type EventTokens } from '@offload/access';
import { invalidBody, Problem } from '@offload/http';
import type { RequestHandler } from 'express';
import { z } from 'zod';

/** The body of `POST /v1/event-tokens`. */
export const eventTokenRequest = z.strictObject({
  jobId: jobId
    .optional()
    .describe('Only the events of this job, which need not be there yet; unless set, of all jobs.'),
  seconds: z.int().min(1).max(3_600).default(600).describe('How long it may be used to begin watching.'),
});

/** What it answers. */
export const issuedEventToken = z.object({
  token: z.string().describe('For the parameter `token` of an event stream.'),
  expiresAt: z.iso.datetime(),
  events: z.string().describe('URL of the event stream, on a notifier, with the token: for `new EventSource(…)`.'),
});

/**
 * `POST /v1/event-tokens`: 200 with a token for a browser, which can't send a key where it watches, and shouldn't know one.
 * It is made for the client that asks, and kept nowhere.
 *
 * @param parts.tokens null: 404 `no-event-tokens`, as an api answers that is older than they are
 */
export function issueEventToken(parts: { tokens: EventTokens | null; notifierUrl: string }): RequestHandler {
  const { tokens, notifierUrl } = parts;
  return async (request, response) => {
    if (!tokens) {
      const detail = 'EVENT_TOKEN_SECRET, which signs them, is not set here.';
      throw new Problem(404, 'no-event-tokens', 'There are no event tokens', detail);
    }
    const parsed = eventTokenRequest.safeParse(request.body);
    if (!parsed.success) throw invalidBody(parsed.error);
    const { jobId, seconds } = parsed.data;
    const { token, expiresAt } = await tokens.issue({ client: clientOf(response).name, jobId }, seconds);
    const stream = jobId === undefined ? '/v1/events' : `/v1/jobs/${jobId}/events`;
    const events = `${notifierUrl}${stream}?token=${token}`; // of characters that a URL may have as they are
    response.set('Cache-Control', 'no-store').json({ token, expiresAt: expiresAt.toISOString(), events });
  };
}
