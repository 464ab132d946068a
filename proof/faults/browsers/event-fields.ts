/** One event of a stream, as a page gets it. */
export interface StreamEvent {
  /** `message` where the stream names none */
  type: string;
  data: string;
  /** of this event, or of the last one before it that had an id */
  lastEventId: string;
}

export interface EventParser {
  /** Takes the next piece of the stream, cut anywhere. */
  feed(text: string): void;
  /** The id that a browser sends as `Last-Event-ID` when it connects again. */
  readonly lastEventId: string;
}

/**
 * Reads a stream as browsers do: https://html.spec.whatwg.org/#event-stream-interpretation. An event that the stream's end
 * cuts off is dropped.
 * @param lastEventId of the stream before this one
 * @param onRetry what the stream says about how long to wait before connecting again, in milliseconds
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
