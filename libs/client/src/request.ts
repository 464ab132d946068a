import { pause } from './abort.ts';
import { refusalOf, type Answer } from './answer.ts';
import { OffloadProblem, UnreachableError } from './errors.ts';
import { openExchange, type Call } from './exchange.ts';
import type { Settings } from './options.ts';
import { backoffMs, mayRepeat, pauseAfter, type Repeat } from './repeat.ts';

export interface RequestCall extends Call {
  /** Statuses that the caller reads itself; every other is repeated if it may be, else thrown. */
  expected: readonly number[];
  /** @default 'freely' */
  repeat?: Repeat;
}

/** An answer of an expected status. */
export interface Expected extends Answer {
  /** Counts from 1. */
  readonly attempt: number;
}

/**
 * Sends a request, again and again where that is safe, until it is answered.
 *
 * Rejects with OffloadProblem, UnexpectedAnswerError or UnreachableError, as the last attempt ended, or with the
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

/** @param attempt undefined when it is not to be repeated */
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

/** An earlier attempt, whose answer was lost, is still being worked on (the IETF's Idempotency-Key draft, section 2.6). */
function isInFlight(refusal: Error): boolean {
  return refusal instanceof OffloadProblem && refusal.slug === 'idempotency-key-in-flight';
}
