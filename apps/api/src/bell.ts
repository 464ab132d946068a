import type { Database, OwedRing } from '@offload/database';
import {
  type Announce,
  announceWith,
  control,
  type Control,
  exchanges,
  ring as ringMessage,
  ringQueue,
} from '@offload/job-messages';
import { isFinished, type Job, SerializedJob } from '@offload/jobs';
import type { EventName } from '@offload/jobs/events';
import { NotConfirmedError, type Publisher, UnderWay } from '@offload/messaging';
import { Counter, delay, type Logger, type Registry } from '@offload/process';

/** Tells workers and watchers about jobs. No call but one rejects: what is not sent is found in the database again. */
export interface Bell {
  /**
   * Sends the ring, and removes it from the outbox once the broker has confirmed it. A ring that is under way is not
   * sent again.
   */
  ring(owed: OwedRing): Promise<void>;
  /**
   * The same for a ring that has just entered the outbox. While many rings of its queue are under way, or the queue is silent,
   * the relay sends it later instead: the api can store jobs faster than the broker confirms rings, and each ring under way
   * takes memory.
   */
  ringSoon(owed: OwedRing): void;
  /** Sends the job as an event, at most once: who needs to be sure reads the row. */
  announce(serialized: SerializedJob, event?: EventName): Promise<void>;
  /** The same, and rejects where the broker has not confirmed it. */
  announceSurely(serialized: SerializedJob): Promise<void>;
  /** Whether the queue takes no rings although the broker is there, as far as this api has tried. */
  isSilent(queue: string): boolean;
  /** A sentence for each queue that takes no rings although the broker is there, as far as this api has tried. */
  faults(): string[];
  /** Resolves when no ring and no event is under way any more, after a second at most. */
  quiet(): Promise<void>;
  /** Tells all workers. @returns whether the broker has taken it */
  command(command: Control): Promise<boolean>;
}

/** Each ring under way takes memory; a queue confirms so many within a second even while others are busy. */
const MOST_RINGS = 1_000;
/** How long a queue that did not confirm a ring is at fault, in milliseconds. The relay goes on sending its rings. */
const FAULT_MS = 60_000;

/** Most time for what is under way when the process ends, in milliseconds. */
const QUIET_MS = 1_000;

export interface BellParts {
  database: Database;
  publisher: Publisher;
  /** What sends the rings of a queue. @default the publisher of everything */
  ringPublisher?: (queue: string) => Publisher;
  /**
   * For the ends of jobs: it may wait for the broker, which listeners may have again sooner than this process does. @default
   * the publisher of everything
   */
  endPublisher?: Publisher;
  /** With so many rings of a queue under way the next ones are left to the relay. @default 1_000 */
  mostRings?: number;
  metrics: Registry;
  log: Logger;
}

/** The rings of one queue. */
interface Lane {
  publisher: Publisher;
  /** Outbox ids of rings under way. */
  ids: Set<string>;
  /** Events of its jobs share the channel of their rings: RabbitMQ then confirms both together. */
  announce: Announce;
  /** When the queue was last found not to confirm a ring; null when it has confirmed one since. */
  silentAt: number | null;
}

export function createBell(parts: BellParts): Bell {
  const { database, publisher, endPublisher = publisher, mostRings = MOST_RINGS, metrics, log } = parts;
  const { ringPublisher = () => publisher } = parts;
  const rings = new Counter({
    name: 'offload_rings_total',
    help: 'Rings by what became of them: confirmed, or still owed',
    labelNames: ['outcome'],
    registers: [metrics],
  });

  const eventsGivenUp = new Counter({
    name: 'offload_events_given_up_total',
    help: 'Events of jobs that were not sent: their readers see the next one, or the row',
    registers: [metrics],
  });

  const announceAny = announceWith(publisher);
  const announceEnd = announceWith(endPublisher);

  const underWay = new UnderWay();
  const lanes = new Map<string, Lane>();

  function laneOf(queue: string): Lane {
    const known = lanes.get(queue);
    if (known) return known;
    const own = ringPublisher(queue);
    const lane: Lane = {
      ids: new Set(),
      publisher: own,
      announce: announceWith(own),
      silentAt: null,
    };
    lanes.set(queue, lane);
    return lane;
  }

  /** An event must not wait behind all the rings that may be under way. With fewer, it is confirmed together with them. */
  function announceFor({ status, queue }: Job): Announce {
    if (isFinished(status)) return announceEnd;
    const lane = laneOf(queue);
    return isSilent(lane) || lane.ids.size >= mostRings ? announceAny : lane.announce;
  }

  function isSilent({ silentAt }: Lane): boolean {
    return silentAt !== null && performance.now() - silentAt < FAULT_MS;
  }

  async function ringIn(lane: Lane, { outboxId, jobId, type, queue, priority, traceparent }: OwedRing): Promise<void> {
    underWay.begin();
    lane.ids.add(outboxId);
    try {
      const to = { exchange: exchanges.jobs, routingKey: queue, priority };
      await lane.publisher.publish(ringMessage, { jobId, type }, traceparent === null ? to : { ...to, traceparent });
      if (lane.silentAt !== null) log.info({ queue }, 'the queue confirms rings again');
      lane.silentAt = null;
      const queued = await database.rings.confirm(outboxId);
      rings.inc({ outcome: 'confirmed' });
      if (queued) await announceQueued(queued.id);
    } catch (error) {
      rings.inc({ outcome: 'owed' });
      if (error instanceof NotConfirmedError) {
        if (lane.silentAt === null) log.error({ err: error, queue }, faultOf(queue));
        lane.silentAt = performance.now();
      }
      log.debug({ err: error, jobId }, 'ring still owed');
    } finally {
      lane.ids.delete(outboxId);
      underWay.end();
    }
  }

  /** Many large jobs may fall due at once: each is read for its event, a few at a time. */
  async function announceQueued(jobId: string): Promise<void> {
    const job = await database.jobs.get(jobId).catch((error: unknown) => giveUpEvent(jobId, error));
    // Otherwise its worker has told something newer.
    if (job?.status === 'queued') await announce(new SerializedJob(job));
  }

  function ringSoon(owed: OwedRing): void {
    const lane = laneOf(owed.queue);
    if (lane.ids.size < mostRings && !isSilent(lane)) void ringIn(lane, owed);
    else rings.inc({ outcome: 'owed' });
  }

  async function announce(serialized: SerializedJob, event?: EventName): Promise<void> {
    underWay.begin();
    try {
      await announceFor(serialized.job)(serialized, event);
    } catch (error) {
      giveUpEvent(serialized.job.id, error);
    } finally {
      underWay.end();
    }
  }

  function giveUpEvent(jobId: string, error: unknown): null {
    eventsGivenUp.inc();
    log.debug({ err: error, jobId }, 'event not sent');
    return null;
  }

  return {
    announce,
    announceSurely: (serialized) => announceAny(serialized),
    async ring(owed) {
      const lane = laneOf(owed.queue);
      // The relay finds a ring due again that takes longer than its grace.
      if (!lane.ids.has(owed.outboxId)) await ringIn(lane, owed);
    },
    ringSoon,
    isSilent: (queue) => isSilent(laneOf(queue)),
    faults: () => [...lanes].filter(([, lane]) => isSilent(lane)).map(([queue]) => faultOf(queue)),
    async command(command) {
      try {
        await publisher.publish(control, command, { exchange: exchanges.control, mandatory: false });
        return true;
      } catch (error) {
        log.debug({ err: error, ...command }, 'command not sent');
        return false;
      }
    },
    async quiet() {
      await Promise.race([underWay.none(), delay(QUIET_MS, undefined, { ref: false })]);
    },
  };
}

function faultOf(queue: string): string {
  return `the queue ${ringQueue(queue)} confirms no rings: it seems to have lost the majority of its members`;
}
