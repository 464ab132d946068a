import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type { Exchange } from './exchange.ts';

/** Options of {@link readServerEvents}. */
export interface ReadOptions {
  /** Most milliseconds between two chunks of the stream. Heartbeats count as chunks. */
  idleTimeoutMs: number;
  /** Gets the `retry` of the stream: the pause before the next connection, in milliseconds. */
  onRetry(retryMs: number): void;
}

/**
 * Yields the events of a stream (https://html.spec.whatwg.org/#server-sent-events) until the server ends it. Throws
 * UnreachableError when the stream breaks, or the signal's reason. Frees the socket, also when the reader stops early.
 */
export async function* readServerEvents(
  exchange: Exchange,
  { idleTimeoutMs, onRetry }: ReadOptions,
): AsyncGenerator<EventSourceMessage, void, undefined> {
  const reader = exchange.response.body?.getReader();
  if (!reader) return;
  const arrived: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (message) => arrived.push(message), onRetry });
  const decoder = new TextDecoder();
  try {
    for (;;) {
      exchange.allow(idleTimeoutMs);
      const { value, done } = await reader.read().catch((error: unknown) => {
        throw exchange.fault(error);
      });
      exchange.allow(undefined); // the time until the next read is the caller's, not the server's
      if (done) return;
      parser.feed(decoder.decode(value, { stream: true }));
      yield* arrived.splice(0);
    }
  } finally {
    await reader.cancel().catch(() => undefined); // the stream is broken already
  }
}
