import { jsonOf, unexpected } from './answer.ts';
import { wholeNumber, type Settings } from './options.ts';
import { request } from './request.ts';

export interface EventTokenOptions {
  /** Only the events of this job. @default those of all jobs */
  jobId?: string;
  /** How long it may be used to begin watching, in seconds, 1 to 3,600. @default the api's, 600 */
  seconds?: number;
  signal?: AbortSignal;
}

/** What a page needs to watch, and nothing else that is secret. */
export interface EventToken {
  readonly token: string;
  /** RFC 3339 */
  readonly expiresAt: string;
  /** For `new EventSource(events)`: the stream's URL, with the token. */
  readonly events: string;
}

/** `POST /v1/event-tokens`; nothing is kept, so it is repeated freely. */
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
