import { startDeadline } from './abort.ts';
import { UnreachableError } from './errors.ts';
import type { Settings } from './options.ts';

/** One request. */
export interface Call {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  url: URL;
  /** @default {} */
  headers?: Readonly<Record<string, string>>;
  /** The body as JSON text, so that each attempt sends the same bytes. @default no body */
  body?: string;
  /** Aborts the request. */
  signal?: AbortSignal | undefined;
  /** Seconds for which the client asks the server to hold the answer (RFC 7240 section 4.3). @default 0 */
  holdSeconds?: number;
}

/** A request that was sent, with its response. */
export interface Exchange {
  readonly response: Response;
  /** Reads the whole body. Rejects with what {@link fault} returns. */
  text(): Promise<string>;
  /** Restarts the clock: after `timeoutMs` milliseconds the exchange is aborted. With undefined the clock stops. */
  allow(timeoutMs: number | undefined): void;
  /** Converts an error of reading into the caller's: the signal's reason, or UnreachableError. */
  fault(error: unknown): unknown;
  /** Drops an unread response, which would keep its socket. */
  close(): Promise<void>;
}

/**
 * Sends a request once and resolves with the head of its response, in any status. It follows no redirect, so that the
 * API key goes nowhere else. The caller must close the exchange.
 *
 * Rejects with UnreachableError or the signal's reason.
 */
export async function openExchange(settings: Settings, call: Call): Promise<Exchange> {
  const { fetch, apiKey, timeoutMs } = settings;
  const { method, url, signal, holdSeconds = 0 } = call;
  signal?.throwIfAborted();
  const headers: Record<string, string> = { accept: 'application/json, application/problem+json', ...call.headers };
  if (apiKey !== undefined) headers.authorization = `Bearer ${apiKey}`;
  if (holdSeconds > 0) headers.prefer = `wait=${holdSeconds}`;
  if (call.body !== undefined) headers['content-type'] = 'application/json';

  const deadline = startDeadline(signal, (ms) => new Error(`no answer within ${ms} ms`));
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
        // A reader of the body frees it itself, and an aborted response is free already.
        if (!response.bodyUsed) await response.body?.cancel().catch(() => undefined);
      },
    };
  } catch (error) {
    deadline.end();
    throw fault(error);
  }
}

/** The reason of a failed fetch. Its own message is only `fetch failed`; the cause says why. */
function reasonOf(error: unknown): string {
  const { message = String(error), cause } = error as Partial<Error>;
  const { message: why } = (cause ?? {}) as Partial<Error>;
  return why ? `${message}: ${why}` : message;
}
