import type { Answer } from './answers.ts';
import type { Told } from './check-webhook.ts';

/** One request, as its receiver saw it. */
export interface Hit {
  /** the webhook's */
  id: string;
  /** milliseconds since 1970 */
  at: number;
  path: string;
  answer: Answer;
  /** what was wrong with the request */
  faults?: string[];
}

/** What all receivers have seen. */
export interface Report {
  hits: Hit[];
  /** by webhook: what its first request said */
  told: Record<string, Told>;
  /** how many requests followed a redirect */
  redirected: number;
}

/** `POST` to it with a kind of receiver behind it: those are gone from now on. */
export const GONE_PATH = '/gone/';
/** What slow receivers ask for: more than senders wait by themselves. */
export const RETRY_AFTER_SECONDS = 3;
