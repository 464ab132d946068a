import type { QueueStats, Outbox, RunningJob, Survey } from '@offload/database';
import type { JobTypes } from '@offload/database/job-types';
import { compareDispatches, control, exchanges, type DispatchLook, dispatchQueue } from '@offload/job-messages';
import { BrokerUnavailableError, type Publisher } from '@offload/messaging';
import type { QueueInspector, QueueStatus } from '@offload/messaging/queues';
import { delay } from '@offload/process';
import type { Patience } from './patience.ts';

/** What database and broker say of one queue. */
export interface QueueLook {
  queue: string;
  /** Whether QUEUES names it. */
  named: boolean;
  /** The registered job types whose own queue it is. */
  types: readonly string[];
  scheduled: number;
  /** queued, their dispatch message still pending */
  pending: number;
  /** queued, their dispatch message confirmed by the broker */
  dispatched: number;
  running: number;
  /** Dispatch messages that wait in the broker, and who consumes them; null when the broker has no such queue. */
  broker: { waiting: number; consumers: number } | null;
  /** Why the queue does not answer, if so: what the broker says of it is not to be relied on then. */
  silent: string | null;
  /** Ids of queued jobs whose dispatch message is neither pending nor waiting, throughout the look. */
  lost: readonly string[];
}

/** A running job and its holder. */
export interface RunningLook extends RunningJob {
  /** Whether the holder has answered the liveness check; null when the roll could not be called. */
  answered: boolean | null;
}

/** What there is to compare. */
export interface Look {
  at: Date;
  /** When the roll was called, as `performance.now()` had it just before. */
  calledAt: number;
  queues: QueueLook[];
  overdue: Survey['overdue'];
  /** Scheduled jobs for which no dispatch message is pending. */
  undispatched: number;
  /** At most 1,000, the longest silent first. */
  running: RunningLook[];
  /** null when the broker has no queue for them */
  deadLetters: number | null;
  /** Why the roll could not be called, if so. */
  notCalled: string | null;
}

export interface LookParts {
  database: {
    queues: Pick<QueueStats, 'survey'>;
    outbox: Pick<Outbox, 'countDispatched' | 'listDispatched'>;
    jobTypes: Pick<JobTypes, 'list'>;
  };
  inspector: QueueInspector;
  /** Asks a queue whether it works. @returns what is wrong, if anything */
  probe(queue: string): Promise<string | null>;
  publisher: Pick<Publisher, 'publish'>;
  /** Those that QUEUES names. */
  queues: readonly string[];
  patience: Patience;
}

const PAUSE_MS = 200;
const REOPEN_MS = 5_000;

/**
 * Calls the roll, and looks until all agrees, but for two seconds at most (`lookMs`): what is under way in the meantime, a dispatch message
 * between queue and claim, an answer to the liveness check, must not be taken for a fault.
 */
export async function look(parts: LookParts): Promise<Look> {
  const { database, queues, patience } = parts;
  const calledAt = performance.now();
  const notCalled = await callRoll(parts.publisher);
  const typesOf = await typesByQueue(database.jobTypes);
  const first = new Map<string, DispatchLook>();
  const unsettled = new Set<string>();
  const lost = new Map<string, readonly string[]>();
  const silent = new Map<string, string | null>();
  for (let looks = 1; ; looks += 1) {
    const known = (await database.queues.survey()).queues.map(({ queue }) => queue);
    const names = [...new Set([...queues, ...known, ...typesOf.keys()])];
    const statuses = new Map<string, QueueStatus | null>();
    for (const name of names) {
      if (!silent.has(name)) silent.set(name, await parts.probe(dispatchQueue(name)));
      const { status, dispatches, suspects } = await compare(name, parts, first.get(name) ?? null);
      statuses.set(name, status);
      if (suspects.length > 0 || (dispatches.missing > 0 && !first.has(name))) unsettled.add(name);
      else unsettled.delete(name);
      if (!first.has(name)) first.set(name, dispatches);
      lost.set(name, suspects);
    }
    const dead = await inspect(exchanges.dead, parts.inspector);
    const survey = await database.queues.survey();
    // Measured behind the survey: whoever answered or claimed before it counts as heard.
    const sinceCallMs = performance.now() - calledAt;
    const running = survey.running.map((job) => ({
      ...job,
      answered: notCalled === null ? job.silentMs <= sinceCallMs : null,
    }));
    const agrees = running.every(({ answered }) => answered !== false) && unsettled.size === 0;
    if (agrees || (looks > 1 && sinceCallMs >= patience.lookMs)) {
      return {
        at: new Date(),
        calledAt,
        queues: names.map((name) => ({
          ...queueLook(name, parts, survey, statuses.get(name) ?? null, lost.get(name) ?? []),
          silent: silent.get(name) ?? null,
          types: typesOf.get(name) ?? [],
        })),
        overdue: survey.overdue,
        undispatched: survey.undispatched,
        running,
        deadLetters: dead?.ready ?? null,
        notCalled,
      };
    }
    await delay(PAUSE_MS);
  }
}

/** Asks all workers to say which jobs they hold. @returns why that was not possible, if so */
export async function callRoll(publisher: Pick<Publisher, 'publish'>): Promise<string | null> {
  try {
    await publisher.publish(control, { command: 'liveness-check' }, { exchange: exchanges.control, mandatory: false });
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

/**
 * Compares jobs and dispatches with what they were at the first look, so that a dispatch message between queue and claim is not taken
 * for lost.
 */
async function compare(queue: string, { database, inspector, patience }: LookParts, first: DispatchLook | null) {
  let status: QueueStatus | null = null;
  const dispatches = await compareDispatches(
    (since) => database.outbox.countDispatched(queue, since),
    async () => (status = await inspect(dispatchQueue(queue), inspector)),
    first,
  );
  const suspects =
    dispatches.lost > 0 ? await database.outbox.listDispatched(queue, dispatches.lost, patience.settledMs) : [];
  return { status: status as QueueStatus | null, dispatches, suspects };
}

/** The broker closes the inspector's channel when there is no such queue; it is open again at once. */
export async function inspect(queue: string, inspector: QueueInspector): Promise<QueueStatus | null> {
  for (const until = performance.now() + REOPEN_MS; ;) {
    try {
      return await inspector.inspect(queue);
    } catch (error) {
      if (!(error instanceof BrokerUnavailableError) || performance.now() > until) throw error;
    }
    await delay(20);
  }
}

/** The registered types of each queue that is some type's own, by their newest version. */
async function typesByQueue(jobTypes: Pick<JobTypes, 'list'>): Promise<ReadonlyMap<string, readonly string[]>> {
  const versions = await jobTypes.list();
  const newest = versions.filter(({ type }, index) => type !== versions[index - 1]?.type);
  const found = new Map<string, string[]>();
  for (const { type, queue } of newest) found.set(queue, [...(found.get(queue) ?? []), type]);
  return found;
}

function queueLook(
  queue: string,
  { queues }: LookParts,
  survey: Survey,
  status: QueueStatus | null,
  lost: readonly string[],
): Omit<QueueLook, 'silent' | 'types'> {
  const none = { scheduled: 0, pending: 0, dispatched: 0, running: 0 };
  const { scheduled, pending, dispatched, running } = survey.queues.find((each) => each.queue === queue) ?? none;
  const broker = status && { waiting: status.ready, consumers: status.consumers };
  return { queue, named: queues.includes(queue), scheduled, pending, dispatched, running, broker, lost };
}
