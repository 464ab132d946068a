import type { RequestHandler } from 'express';
import { setTimer } from '@offload/process';

/** Checks one dependency of the process for `/readyz`. */
export interface ReadinessCheck {
  /** If true, a fault makes `/readyz` answer 503; otherwise it answers 200 with the status `degraded`. */
  required: boolean;
  /** @returns null or an empty list if all is well, otherwise the faults */
  check(): Promise<Faults> | Faults;
}

type Faults = string | readonly string[] | null;

/** Most faults of one dependency that an answer names. A dependency may have as many faults as there are queues. */
const MOST_NAMED = 10;

/**
 * Makes a readiness check from a request: the check reports a fault if `ask` rejects or takes longer than `timeoutMs`
 * milliseconds.
 */
export function answers(ask: () => Promise<void>, timeoutMs = 2_000): () => Promise<string | null> {
  return () => {
    let timer: NodeJS.Timeout;
    const late = new Promise<string>((resolve) => {
      timer = setTimer(() => resolve(`no answer within ${timeoutMs} ms`), timeoutMs);
    });
    const answered = ask().then(
      () => null,
      (error: Error) => error.message,
    );
    return Promise.race([answered, late]).finally(() => clearTimeout(timer));
  };
}

/** Answers `GET /readyz`: each dependency by name, and 503 if a required one has a fault. */
export function readiness(checks: Record<string, ReadinessCheck>): RequestHandler {
  return async (_request, response) => {
    const results = await Promise.all(
      Object.entries(checks).map(async ([name, { required, check }]) => ({
        name,
        required,
        fault: inOneText(await check()),
      })),
    );
    const down = results.some(({ required, fault }) => required && fault !== null);
    const status = down ? 'unavailable' : results.some(({ fault }) => fault !== null) ? 'degraded' : 'ready';
    response.status(down ? 503 : 200).json({
      status,
      checks: Object.fromEntries(results.map(({ name, fault }) => [name, fault ?? 'ok'])),
    });
  };
}

function inOneText(faults: Faults): string | null {
  if (faults === null || typeof faults === 'string') return faults;
  const more = faults.length - MOST_NAMED;
  return [...faults.slice(0, MOST_NAMED), ...(more > 0 ? [`${more} more`] : [])].join('; ') || null;
}
