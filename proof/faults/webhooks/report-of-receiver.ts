import type { Answer } from './answers.ts';
import type { Told } from './check-webhook.ts';

/** A request as its receiver saw it. */
export interface Hit {
  /** Id of the webhook. */
  id: string;
  /** Milliseconds since 1970. */
  at: number;
  path: string;
  answer: Answer;
  /** Faults of the request. */
  faults?: string[];
}

/** The records of all receivers. */
export interface Report {
  hits: Hit[];
  /** The contents of the first request of each webhook. */
  told: Record<string, Told>;
  /** Number of requests that followed a redirect. */
  redirected: number;
}

/** Path of a `POST`, followed by a kind of receiver, after which receivers of that kind answer 410. */
export const GONE_PATH = '/gone/';
/** Retry-After of slow receivers in seconds: longer than the senders' own delay. */
export const RETRY_AFTER_SECONDS = 3;
