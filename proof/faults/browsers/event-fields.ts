/** An event of a stream, as a page gets it. */
export interface StreamEvent {
  /** The event's name; `message` without one. */
  type: string;
  data: string;
  /** Id of this event, or of the last event with an id. */
  lastEventId: string;
}

/** Parses a stream. */
export interface EventParser {
  /** Parses the next part of the stream, cut anywhere. */
  feed(text: string): void;
  /** The id that a browser sends as `Last-Event-ID` with a reconnect. */
  readonly lastEventId: string;
}

/**
 * Makes a parser that works as browsers do: https://html.spec.whatwg.org/#event-stream-interpretation. It drops an
 * incomplete event at the end of the stream.
 *
 * @param lastEventId last id of the stream before
 * @param onRetry gets the `retry` of the stream: the pause before a reconnect, in milliseconds
 */
export function parseEvents(
  lastEventId: string,
  onEvent: (event: StreamEvent) => void,
  onRetry: (ms: number) => void,
): EventParser {
  let rest = '';
  let begun = false;
  let [type, data, idBuffer] = ['', '', lastEventId];
  let lastId = lastEventId;

  function field(name: string, value: string): void {
    if (name === 'event') type = value;
    if (name === 'data') data += `${value}\n`;
    if (name === 'id' && !value.includes('\0')) idBuffer = value;
    if (name === 'retry' && /^\d+$/.test(value)) onRetry(Number(value));
  }

  function dispatch(): void {
    lastId = idBuffer;
    if (data !== '') onEvent({ type: type || 'message', data: data.slice(0, -1), lastEventId: lastId });
    [type, data] = ['', ''];
  }

  function line(text: string): void {
    if (text === '') return dispatch();
    const colon = text.indexOf(':');
    if (colon === 0) return; // a comment
    if (colon < 0) return field(text, '');
    field(text.slice(0, colon), text.slice(colon + 1).replace(/^ /, ''));
  }

  return {
    feed(text) {
      rest += begun ? text : text.replace(/^\uFEFF/, '');
      begun ||= text !== '';
      // A carriage return at the end may be half of a line break.
      const lines = rest.split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? '';
      lines.forEach(line);
    },
    get lastEventId() {
      return lastId;
    },
  };
}
