import { isFinished } from '@offload/jobs';
import type { JobWithLinks } from '@offload/jobs/answers';
import { openEventSource, type Closed, type EventSource } from './event-source.ts';

/** What one browser has seen of its job. */
export interface Watched {
  jobId: string;
  /** in the order in which they came, over all its streams */
  versions: number[];
  /** the last event's; undefined before the first */
  job: JobWithLinks | undefined;
  /** of the last event, `job.<status>` */
  event: string;
  /** of the last event */
  lastEventId: string;
  /** when the first event came that said that the job is finished, in milliseconds since 1970 */
  endedAt: number | undefined;
  /** the end was there when a stream had been opened again, and did not come over one that was open */
  throughReconnect: boolean;
  /** why it will not connect again; undefined while it may */
  closed: Closed | undefined;
  /** how often it has connected again before it was done */
  reconnects: number;
}

/** Browsers that watch one job each, until they have heard of its end. */
export interface Audience {
  readonly watched: readonly Watched[];
  /**
   * @param leaves whether the page closes its connection at the end, as pages should; otherwise the browser asks again,
   * and is told that there is no more
   */
  watch(job: JobWithLinks, leaves: boolean, onEvent: (job: JobWithLinks) => void): void;
  /** Resolves when every browser is done, or patience is at its end, and closes those that are not. */
  close(patienceMs: number): Promise<void>;
}

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
      let stream = 0; // the one that the last event came over
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
          const [first, last] = [1, closed.how === 'ended' ? 1 : 0]; // the last asks whether there is more
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
