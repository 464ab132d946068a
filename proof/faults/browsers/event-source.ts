import { get } from 'node:http';
import { parseEvents, type StreamEvent } from './event-fields.ts';

export interface EventSourceParts {
  onEvent(event: StreamEvent): void;
  /** Called once: why it will not connect again. */
  onClosed(why: Closed): void;
}

/** `ended` is a 204, with which a server says that there is no more; `refused` any other answer that is no stream. */
export type Closed = { how: 'by the page' } | { how: 'ended' } | { how: 'refused'; status: number };

/** A browser's connection to a stream of events. */
export interface EventSource {
  /** How often it has asked for the stream. */
  readonly requests: number;
  /** How often it was answered with a stream. */
  readonly streams: number;
  close(): void;
}

/** As browsers do before a stream tells another time. */
const RECONNECT_MS = 3_000;

/**
 * Follows a stream as EventSource does (https://html.spec.whatwg.org/#the-eventsource-interface): it connects again
 * whenever the stream ends or can't be had, with `Last-Event-ID`, after the time that the stream has told; an answer that
 * is no stream ends it for good. Nothing times out.
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
      response.on('error', () => undefined).on('close', () => again()); // broken off or ended: the same to a browser
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
