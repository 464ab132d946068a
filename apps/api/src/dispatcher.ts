import type { Database, PendingDispatch } from '@offload/database';
import {
  type PublishEvent,
  publishEventsWith,
  control,
  type Control,
  exchanges,
  dispatch as dispatchMessage,
  dispatchQueue,
} from '@offload/job-messages';
import { isFinished, type Job, SerializedJob } from '@offload/jobs';
import type { EventName } from '@offload/jobs/events';
import { NotConfirmedError, type Publisher, UnderWay } from '@offload/messaging';
import { Counter, delay, type Logger, type Registry } from '@offload/process';

/** Tells workers and watchers about jobs. No call but one rejects: what is not sent is found in the database again. */
export interface Dispatcher {
  /**
   * Sends the dispatch message, and removes it from the outbox when the broker has confirmed it. Does nothing for a
   * dispatch message that is under way.
   */
  dispatch(pending: PendingDispatch): Promise<void>;
  /**
   * Sends the dispatch message of a job that has just been stored. Leaves it to the relay while the queue is silent, or
   * many of its dispatch messages are under way. The api may store jobs faster than the broker confirms their dispatch
   * messages, and each message under way takes memory.
   */
  dispatchSoon(pending: PendingDispatch): void;
  /** Sends the job as an event, at most once: who needs to be sure reads the row. */
  publishEvent(serialized: SerializedJob, event?: EventName): Promise<void>;
  /** The same, and rejects where the broker has not confirmed it. */
  announceSurely(serialized: SerializedJob): Promise<void>;
  /** Whether the queue takes no dispatch messages although the broker is there, as far as this api has tried. */
  isSilent(queue: string): boolean;
  /** A sentence for each silent queue, for `/readyz`. */
  faults(): string[];
  /** Resolves when no dispatch message and no event is under way any more, after a second at most. */
  quiet(): Promise<void>;
  /** Publishes the command to all workers. @returns whether the broker has confirmed it */
  command(command: Control): Promise<boolean>;
}

/**
 * Most dispatch messages of a queue under way, since each takes memory. A busy queue confirms so many within a second.
 */
const MOST_DISPATCHES = 1_000;
/**
 * How long a queue counts as silent after it did not confirm a dispatch message, in milliseconds. The relay goes on
 * sending its dispatch messages.
 */
const FAULT_MS = 60_000;

/** Most time for messages under way when the process ends, in milliseconds. */
const QUIET_MS = 1_000;

export interface DispatcherParts {
  database: Database;
  publisher: Publisher;
  /** The publisher of a queue's dispatch messages. @default `publisher` */
  dispatchPublisher?: (queue: string) => Publisher;
  /**
   * The publisher of finished jobs. It may wait for the broker, since listeners may connect again sooner than this
   * process.
   *
   * @default `publisher`
   */
  endPublisher?: Publisher;
  /** With so many dispatch messages of a queue under way, further ones are left to the relay. @default 1_000 */
  mostDispatches?: number;
  metrics: Registry;
  log: Logger;
}

/** The dispatch messages of one queue. */
interface Lane {
  publisher: Publisher;
  /** Outbox ids of dispatch messages under way. */
  ids: Set<string>;
  /** Events of its jobs share the channel of their dispatch messages: RabbitMQ then confirms both together. */
  publishEvent: PublishEvent;
  /** When the queue was last found not to confirm a dispatch message; null when it has confirmed one since. */
  silentAt: number | null;
}

export function createDispatcher(parts: DispatcherParts): Dispatcher {
  const { database, publisher, endPublisher = publisher, mostDispatches = MOST_DISPATCHES, metrics, log } = parts;
  const { dispatchPublisher = () => publisher } = parts;
  /**
   * A rise of `pending` means that RabbitMQ does not confirm dispatch messages. They are safe in the outbox, and the
   * relay sends them later. Look at `/readyz` of the api, then at RabbitMQ.
   */
  const dispatches = new Counter({
    name: 'offload_dispatches_total',
    help: 'Dispatch messages by what became of them: confirmed, or still pending',
    labelNames: ['outcome'],
    registers: [metrics],
  });

  /**
   * A rise means that RabbitMQ was away, or that 10,000 events were waiting for it. Watchers still reach the final
   * state. Look at `offload_broker_connection_state`.
   */
  const eventsGivenUp = new Counter({
    name: 'offload_events_given_up_total',
    help: 'Events of jobs that were not sent: their readers see the next one, or the row',
    registers: [metrics],
  });

  const publishAnyEvent = publishEventsWith(publisher);
  const publishFinalEvent = publishEventsWith(endPublisher);

  const underWay = new UnderWay();
  const lanes = new Map<string, Lane>();

  function laneOf(queue: string): Lane {
    const known = lanes.get(queue);
    if (known) return known;
    const own = dispatchPublisher(queue);
    const lane: Lane = {
      ids: new Set(),
      publisher: own,
      publishEvent: publishEventsWith(own),
      silentAt: null,
    };
    lanes.set(queue, lane);
    return lane;
  }

  /**
   * An event shares the channel of its queue's dispatch messages, unless it would wait there behind very many of them.
   */
  function publishEventFor({ status, queue }: Job): PublishEvent {
    if (isFinished(status)) return publishFinalEvent;
    const lane = laneOf(queue);
    return isSilent(lane) || lane.ids.size >= mostDispatches ? publishAnyEvent : lane.publishEvent;
  }

  function isSilent({ silentAt }: Lane): boolean {
    return silentAt !== null && performance.now() - silentAt < FAULT_MS;
  }

  async function dispatchIn(
    lane: Lane,
    { outboxId, jobId, type, queue, priority, traceparent }: PendingDispatch,
  ): Promise<void> {
    underWay.begin();
    lane.ids.add(outboxId);
    try {
      const to = { exchange: exchanges.jobs, routingKey: queue, priority };
      await lane.publisher.publish(
        dispatchMessage,
        { jobId, type },
        traceparent === null ? to : { ...to, traceparent },
      );
      if (lane.silentAt !== null) log.info({ queue }, 'the queue confirms dispatch messages again');
      lane.silentAt = null;
      const queued = await database.outbox.confirm(outboxId);
      dispatches.inc({ outcome: 'confirmed' });
      if (queued) await publishQueuedEvent(queued.id);
    } catch (error) {
      dispatches.inc({ outcome: 'pending' });
      if (error instanceof NotConfirmedError) {
        if (lane.silentAt === null) log.error({ err: error, queue }, faultOf(queue));
        lane.silentAt = performance.now();
      }
      log.debug({ err: error, jobId }, 'dispatch message still pending');
    } finally {
      lane.ids.delete(outboxId);
      underWay.end();
    }
  }

  /** Reads the job for its event: the dispatch message has only the job's id. */
  async function publishQueuedEvent(jobId: string): Promise<void> {
    const job = await database.jobs.get(jobId).catch((error: unknown) => giveUpEvent(jobId, error));
    // Otherwise a worker has published a newer event.
    if (job?.status === 'queued') await publishEvent(new SerializedJob(job));
  }

  function dispatchSoon(pending: PendingDispatch): void {
    const lane = laneOf(pending.queue);
    if (lane.ids.size < mostDispatches && !isSilent(lane)) void dispatchIn(lane, pending);
    else dispatches.inc({ outcome: 'pending' });
  }

  async function publishEvent(serialized: SerializedJob, event?: EventName): Promise<void> {
    underWay.begin();
    try {
      await publishEventFor(serialized.job)(serialized, event);
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
    publishEvent,
    announceSurely: (serialized) => publishAnyEvent(serialized),
    async dispatch(pending) {
      const lane = laneOf(pending.queue);
      // The relay takes a dispatch message again when its confirmation takes long.
      if (!lane.ids.has(pending.outboxId)) await dispatchIn(lane, pending);
    },
    dispatchSoon,
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
  return `the queue ${dispatchQueue(queue)} confirms no dispatch messages: it seems to have lost the majority of its members`;
}
