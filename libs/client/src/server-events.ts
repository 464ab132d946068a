import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type { Exchange } from './exchange.ts';

export interface ReadOptions {
  /** Limit of each silence, heartbeats being none, in milliseconds. */
  idleTimeoutMs: number;
  /** How soon the server wants us back, in milliseconds. */
  onRetry(retryMs: number): void;
}

/**
 * The events of a stream (https://html.spec.whatwg.org/#server-sent-events), until the server ends it. Throws
 * UnreachableError when it breaks off, and the signal's reason. Frees the socket, also when its reader stops early.
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
      exchange.allow(undefined); // what takes its time now is our caller, not the server
      if (done) return;
      parser.feed(decoder.decode(value, { stream: true }));
      yield* arrived.splice(0);
    }
  } finally {
    await reader.cancel().catch(() => undefined); // broken off already
  }
}
