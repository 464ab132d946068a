import { pause } from './abort.ts';
import { refusalOf, type Answer } from './answer.ts';
import { OffloadProblem, UnreachableError } from './errors.ts';
import { openExchange, type Call } from './exchange.ts';
import type { Settings } from './options.ts';
import { backoffMs, mayRepeat, pauseAfter, type Repeat } from './repeat.ts';

/** A request with its rules for repetition. */
export interface RequestCall extends Call {
  /** Statuses that the caller handles itself. Every other is repeated if allowed, and otherwise thrown. */
  expected: readonly number[];
  /** @default 'freely' */
  repeat?: Repeat;
}

/** An answer with an expected status. */
export interface Expected extends Answer {
  /** The number of the attempt, from 1. */
  readonly attempt: number;
}

/**
 * Sends a request, and repeats it where that is safe, until an answer has an expected status.
 *
 * Rejects with the error of the last attempt (OffloadProblem, UnexpectedAnswerError or UnreachableError), or with the
 * signal's reason.
 */
export async function request(settings: Settings, call: RequestCall): Promise<Expected> {
  const { maxAttempts } = settings;
  const { repeat = 'freely', signal } = call;
  for (let attempt = 1; ; attempt += 1) {
    const last = attempt === maxAttempts;
    const outcome = await tryOnce(settings, call, last ? undefined : attempt).catch((error: unknown) => {
      if (last || repeat !== 'freely' || !(error instanceof UnreachableError)) throw error;
      return { pauseMs: backoffMs(settings, attempt) };
    });
    if (!('pauseMs' in outcome)) return { ...outcome, attempt };
    await pause(outcome.pauseMs, signal);
  }
}

/** @param attempt undefined when the request must not be repeated */
async function tryOnce(
  settings: Settings,
  call: RequestCall,
  attempt: number | undefined,
): Promise<Answer | { pauseMs: number }> {
  const exchange = await openExchange(settings, call);
  const { status, headers } = exchange.response;
  try {
    const pauseMs = attempt === undefined ? undefined : pauseAfter(settings, attempt, headers);
    const expected = call.expected.includes(status);
    if (!expected && pauseMs !== undefined && mayRepeat(call.repeat ?? 'freely', status)) return { pauseMs };

    const request = `${call.method} ${call.url.href}`;
    const answer = { request, status, headers, text: await exchange.text() };
    if (expected) return answer;
    const refusal = refusalOf(answer);
    if (pauseMs !== undefined && isInFlight(refusal)) return { pauseMs };
    throw refusal;
  } finally {
    await exchange.close();
  }
}

/** Whether an earlier attempt is still in progress (the IETF's Idempotency-Key draft, section 2.6). */
function isInFlight(refusal: Error): boolean {
  return refusal instanceof OffloadProblem && refusal.slug === 'idempotency-key-in-flight';
}
