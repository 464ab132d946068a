import { jsonOf, unexpected } from './answer.ts';
import { wholeNumber, type Settings } from './options.ts';
import { request } from './request.ts';

/** Limits of an event token. */
export interface EventTokenOptions {
  /** The token allows only the events of this job. @default the events of all jobs */
  jobId?: string;
  /** Seconds in which a page may begin to watch, 1 to 3,600. @default 600, set by the api */
  seconds?: number;
  signal?: AbortSignal;
}

/** All that a page needs to watch, without an API key. */
export interface EventToken {
  readonly token: string;
  /** When the token expires, in RFC 3339. */
  readonly expiresAt: string;
  /** URL of the event stream with the token, for `new EventSource(events)`. */
  readonly events: string;
}

/** `POST /v1/event-tokens`. The api stores nothing, so the client may repeat the request. */
export async function issueEventToken(settings: Settings, options: EventTokenOptions): Promise<EventToken> {
  const { jobId, seconds, signal } = options;
  if (seconds !== undefined) wholeNumber('seconds', seconds, 1, 3_600);
  const url = new URL('v1/event-tokens', settings.baseUrl);
  const body = JSON.stringify({ jobId, seconds });
  const answer = await request(settings, { method: 'POST', url, body, signal, expected: [200] });
  const { token, expiresAt, events } = (jsonOf(answer) ?? {}) as Record<string, unknown>;
  if (typeof token === 'string' && typeof expiresAt === 'string' && typeof events === 'string') {
    return { token, expiresAt, events };
  }
  throw unexpected(answer, 'no event token');
}
