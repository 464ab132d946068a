import type { RequestHandler } from 'express';
import { setTimer } from '@offload/process';

/** One thing the process depends on. */
export interface ReadinessCheck {
  /** Without it the process can't do its work: 503. Otherwise it is degraded: 200. */
  required: boolean;
  /** @returns null or an empty list when all is well, otherwise what is wrong */
  check(): Promise<Faults> | Faults;
}

type Faults = string | readonly string[] | null;

/** A dependency may have as many faults as there are queues; an answer names so many. */
const MOST_NAMED = 10;

/** A check that asks: well unless `ask` rejects, or takes longer than `timeoutMs`. */
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

/** `GET /readyz`: each dependency by name, 503 when a required one is missing. */
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
