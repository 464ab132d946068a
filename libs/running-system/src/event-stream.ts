import type { JobWithLinks } from '@offload/jobs/answers';

/** One event as a notifier sends it. */
export interface ServerEvent {
  event: string;
  id: string;
  job: JobWithLinks;
}

/** An open stream of server-sent events. */
export interface EventStream {
  readonly status: number;
  readonly headers: Headers;
  /** The next event; undefined when the stream has ended. */
  next(): Promise<ServerEvent | undefined>;
  /** Collects events until the stream ends or `last` is true of an event. */
  until(last: (event: ServerEvent) => boolean): Promise<ServerEvent[]>;
  close(): Promise<void>;
}

/** Opens an event stream. Resolves when the notifier has answered, so it gets every later event. */
export async function openEvents(url: string, lastEventId?: string): Promise<EventStream> {
  const response = await fetch(url, { headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId } });
  const events = readEvents(response);

  async function next(): Promise<ServerEvent | undefined> {
    const { value, done } = await events.next();
    return done ? undefined : value;
  }

  return {
    status: response.status,
    headers: response.headers,
    next,
    async until(last) {
      const seen: ServerEvent[] = [];
      for (let event = await next(); event; event = await next()) {
        seen.push(event);
        if (last(event)) break;
      }
      return seen;
    },
    close: async () => void (await events.return()),
  };
}

// https://html.spec.whatwg.org/#event-stream-interpretation, as far as a notifier uses it: one data line in an event.
async function* readEvents(response: Response): AsyncGenerator<ServerEvent, void> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s) as [string, string]));
      if (fields.event !== undefined && fields.id !== undefined && fields.data !== undefined)
        yield { event: fields.event, id: fields.id, job: JSON.parse(fields.data) as JobWithLinks };
    }
  }
}
