import { isFinished } from '@offload/jobs';
import type { JobWithLinks } from '@offload/jobs/answers';
import { openEventSource, type Closed, type EventSource } from './event-source.ts';

/** What one browser has seen of its job. */
export interface Watched {
  jobId: string;
  /** Versions in the order of their arrival, on all its streams. */
  versions: number[];
  /** The job of the last event; undefined before the first. */
  job: JobWithLinks | undefined;
  /** Name of the last event, `job.<status>`. */
  event: string;
  /** Id of the last event. */
  lastEventId: string;
  /** When the first event with a finished job arrived, in milliseconds since 1970. */
  endedAt: number | undefined;
  /** Whether that event was the first of a reopened stream, and not one on an open stream. */
  throughReconnect: boolean;
  /** Why it will not reconnect; undefined while it may. */
  closed: Closed | undefined;
  /** Number of its reconnects before the end. */
  reconnects: number;
}

/** Browsers that watch one job each until it is finished. */
export interface Audience {
  readonly watched: readonly Watched[];
  /**
   * Opens a browser.
   *
   * @param leaves whether the page closes its stream at the end, as pages should. Otherwise the browser reconnects, and
   *   gets 204.
   */
  watch(job: JobWithLinks, leaves: boolean, onEvent: (job: JobWithLinks) => void): void;
  /** Resolves when every browser is done, or after `patienceMs`. Closes the others. */
  close(patienceMs: number): Promise<void>;
}

/** Makes an audience without browsers. */
export function openAudience(): Audience {
  const watched: Watched[] = [];
  const open = new Set<EventSource>();
  let onEmpty: () => void = () => undefined;

  return {
    watched,
    watch({ id, links }, leaves, onEvent) {
      const seen: Watched = {
        ...{ jobId: id, versions: [], job: undefined, event: '', lastEventId: '', endedAt: undefined },
        ...{ throughReconnect: false, closed: undefined, reconnects: 0 },
      };
      watched.push(seen);
      let stream = 0; // number of the stream with the last event
      const source = openEventSource(links.events, {
        onEvent({ type, data, lastEventId }) {
          const job = JSON.parse(data) as JobWithLinks;
          const first = stream !== source.streams;
          stream = source.streams;
          seen.versions.push(job.version);
          Object.assign(seen, { job, event: type, lastEventId });
          if (isFinished(job.status)) {
            seen.throughReconnect ||= seen.endedAt === undefined && first && stream > 1;
            seen.endedAt ??= Date.now();
          }
          onEvent(job);
          if (isFinished(job.status) && leaves) source.close();
        },
        onClosed(closed) {
          const [first, last] = [1, closed.how === 'ended' ? 1 : 0]; // the last request gets 204
          Object.assign(seen, { closed, reconnects: source.requests - first - last });
          open.delete(source);
          if (open.size === 0) onEmpty();
        },
      });
      open.add(source);
    },
    async close(patienceMs) {
      const empty = new Promise<void>((resolve) => (onEmpty = resolve));
      if (open.size > 0) {
        const timer = setTimeout(onEmpty, patienceMs);
        await empty;
        clearTimeout(timer);
      }
      const hanging = watched.filter(({ closed }) => !closed);
      for (const source of [...open]) source.close();
      for (const seen of hanging) seen.closed = undefined;
    },
  };
}
