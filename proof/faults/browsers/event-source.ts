import { get } from 'node:http';
import { parseEvents, type StreamEvent } from './event-fields.ts';

/** Options of {@link openEventSource}. */
export interface EventSourceParts {
  onEvent(event: StreamEvent): void;
  /** Called once, with the reason, when it will not reconnect. */
  onClosed(why: Closed): void;
}

/** `ended` means a 204, after which no event follows. `refused` means any other answer that is not a stream. */
export type Closed = { how: 'by the page' } | { how: 'ended' } | { how: 'refused'; status: number };

/** A browser's connection to an event stream. */
export interface EventSource {
  /** Number of its requests. */
  readonly requests: number;
  /** Number of answers that were a stream. */
  readonly streams: number;
  close(): void;
}

/** Pause of browsers before a stream sets another one. */
const RECONNECT_MS = 3_000;

/**
 * Follows a stream as EventSource does (https://html.spec.whatwg.org/#the-eventsource-interface). It reconnects with
 * `Last-Event-ID` after the stream's `retry`, whenever the stream ends or the connection fails. An answer that is not a
 * stream ends it. It has no timeout.
 */
export function openEventSource(url: string, { onEvent, onClosed }: EventSourceParts): EventSource {
  let [requests, streams, reconnectMs] = [0, 0, RECONNECT_MS];
  let lastEventId = '';
  let closed = false;
  let stop: () => void = () => undefined;

  function close(why: Closed): void {
    if (closed) return;
    closed = true;
    stop();
    onClosed(why);
  }

  function connect(): void {
    requests += 1;
    let again = (): void => {
      again = () => undefined;
      if (closed) return;
      const timer = setTimeout(connect, reconnectMs);
      stop = () => clearTimeout(timer);
    };
    const headers = { Accept: 'text/event-stream', ...(lastEventId && { 'Last-Event-ID': lastEventId }) };
    const request = get(url, { headers, agent: false }, (response) => {
      const { statusCode = 0, headers } = response;
      if (statusCode === 204) return close({ how: 'ended' });
      if (statusCode !== 200 || !/^text\/event-stream(;|$)/.test(headers['content-type'] ?? '')) {
        return close({ how: 'refused', status: statusCode });
      }
      streams += 1;
      const parser = parseEvents(
        lastEventId,
        (event) => {
          lastEventId = event.lastEventId;
          if (!closed) onEvent(event);
        },
        (ms) => (reconnectMs = ms),
      );
      response.setEncoding('utf8').on('data', (text: string) => parser.feed(text));
      response.on('error', () => undefined).on('close', () => again()); // a browser treats a broken stream like an ended one
    });
    request.on('error', () => again());
    stop = () => request.destroy();
  }

  connect();
  return {
    get requests() {
      return requests;
    },
    get streams() {
      return streams;
    },
    close: () => close({ how: 'by the page' }),
  };
}
