import { startDeadline } from './abort.ts';
import { UnreachableError } from './errors.ts';
import type { Settings } from './options.ts';

/** One request. */
export interface Call {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  url: URL;
  /** @default {} */
  headers?: Readonly<Record<string, string>>;
  /** JSON, as text: the same bytes however often it is sent. @default no body */
  body?: string;
  /** Breaks it off. */
  signal?: AbortSignal | undefined;
  /** How long the server is asked to hold the answer, in seconds (RFC 7240 section 4.3). @default 0 */
  holdSeconds?: number;
}

/** A request that was sent, and its response while it is read. */
export interface Exchange {
  readonly response: Response;
  /** All of the body. Rejects as {@link fault} says. */
  text(): Promise<string>;
  /** Winds the clock: what is not over in so many milliseconds is broken off; undefined stops the clock. */
  allow(timeoutMs: number | undefined): void;
  /** What reading threw, as the caller is to see it: the signal's reason, or UnreachableError. */
  fault(error: unknown): unknown;
  /** Drops the response if nobody has begun to read it: it would hold its socket. */
  close(): Promise<void>;
}

/**
 * Sends a request once; resolves with its response's head, whatever the status. Redirects are not followed, so that the
 * key goes nowhere else.
 *
 * Rejects with UnreachableError, or the signal's reason. Whoever gets it must close it.
 */
export async function openExchange(settings: Settings, call: Call): Promise<Exchange> {
  const { fetch, apiKey, timeoutMs } = settings;
  const { method, url, signal, holdSeconds = 0 } = call;
  signal?.throwIfAborted();
  const headers: Record<string, string> = { accept: 'application/json, application/problem+json', ...call.headers };
  if (apiKey !== undefined) headers.authorization = `Bearer ${apiKey}`;
  if (holdSeconds > 0) headers.prefer = `wait=${holdSeconds}`;
  if (call.body !== undefined) headers['content-type'] = 'application/json';

  const deadline = startDeadline(signal, (ms) => new Error(`nothing came within ${ms} ms`));
  deadline.allow(timeoutMs + holdSeconds * 1_000);

  function fault(error: unknown): unknown {
    if (signal?.aborted) return signal.reason;
    const cause = deadline.signal.aborted ? deadline.signal.reason : error;
    return new UnreachableError(`${method} ${url.href}: ${reasonOf(cause)}`, { cause });
  }

  try {
    const response = await fetch(url.href, {
      method,
      headers,
      body: call.body ?? null,
      signal: deadline.signal,
      redirect: 'manual',
    });
    return {
      response,
      text: () =>
        response.text().catch((error: unknown) => {
          throw fault(error);
        }),
      allow: deadline.allow,
      fault,
      async close() {
        deadline.end();
        // Who has begun to read it frees it; what is broken off already is free.
        if (!response.bodyUsed) await response.body?.cancel().catch(() => undefined);
      },
    };
  } catch (error) {
    deadline.end();
    throw fault(error);
  }
}

/** fetch says `fetch failed`, and why it did one cause further. */
function reasonOf(error: unknown): string {
  const { message = String(error), cause } = error as Partial<Error>;
  const { message: why } = (cause ?? {}) as Partial<Error>;
  return why ? `${message}: ${why}` : message;
}
