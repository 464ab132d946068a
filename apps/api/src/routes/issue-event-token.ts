import { jobId } from '@offload/jobs';
import { clientOf, type EventTokens } from '@offload/access';
import { invalidBody, Problem } from '@offload/http';
import type { RequestHandler } from 'express';
import { z } from 'zod';

/** The body of `POST /v1/event-tokens`. */
export const eventTokenRequest = z.strictObject({
  jobId: jobId
    .optional()
    .describe(
      'The token is for the events of this job only; the job need not exist yet. By default it is for all jobs.',
    ),
  seconds: z.int().min(1).max(3_600).default(600).describe('How long the token can open an event stream.'),
});

/** The body of the answer. */
export const issuedEventToken = z.object({
  token: z.string().describe('The value of the parameter `token` of an event stream.'),
  expiresAt: z.iso.datetime(),
  events: z.string().describe('URL of the event stream, on a notifier, with the token: for `new EventSource(…)`.'),
});

/**
 * `POST /v1/event-tokens`: answers 200 with a token for a browser. A browser cannot send a key with `EventSource`, and
 * should not know one. The token is for the client that asks, and is not stored.
 *
 * @param parts.tokens null makes the route answer 404 `no-event-tokens`
 */
export function issueEventToken(parts: { tokens: EventTokens | null; notifierUrl: string }): RequestHandler {
  const { tokens, notifierUrl } = parts;
  return async (request, response) => {
    if (!tokens) {
      const detail = 'EVENT_TOKEN_SECRET is not set. It signs event tokens.';
      throw new Problem(404, 'no-event-tokens', 'There are no event tokens', detail);
    }
    const parsed = eventTokenRequest.safeParse(request.body);
    if (!parsed.success) throw invalidBody(parsed.error);
    const { jobId, seconds } = parsed.data;
    const { token, expiresAt } = await tokens.issue({ client: clientOf(response).name, jobId }, seconds);
    const stream = jobId === undefined ? '/v1/events' : `/v1/jobs/${jobId}/events`;
    const events = `${notifierUrl}${stream}?token=${token}`; // a token needs no encoding in a URL
    response.set('Cache-Control', 'no-store').json({ token, expiresAt: expiresAt.toISOString(), events });
  };
}
