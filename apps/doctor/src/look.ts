import type { QueueStats, Outbox, RunningJob, Survey } from '@offload/database';
import type { JobTypes } from '@offload/database/job-types';
import { compareDispatches, control, exchanges, type DispatchLook, dispatchQueue } from '@offload/job-messages';
import { BrokerUnavailableError, type Publisher } from '@offload/messaging';
import type { QueueInspector, QueueStatus } from '@offload/messaging/queues';
import { delay } from '@offload/process';
import type { Patience } from './patience.ts';

/** The facts of database and broker about one queue. */
export interface QueueLook {
  queue: string;
  /** Whether QUEUES names it. */
  named: boolean;
  /** The registered job types with this queue in their policy. */
  types: readonly string[];
  scheduled: number;
  /** Number of queued jobs whose dispatch message is pending in the outbox. */
  pending: number;
  /** Number of queued jobs whose dispatch message the broker has confirmed. */
  dispatched: number;
  running: number;
  /** Number of waiting dispatch messages and of consumers; null when the broker has no such queue. */
  broker: { waiting: number; consumers: number } | null;
  /** Why the queue does not answer; null if it does. Otherwise the broker's figures are unreliable. */
  silent: string | null;
  /** Ids of queued jobs whose dispatch message is neither pending nor waiting during the whole look. */
  lost: readonly string[];
}

/** A running job and its holder. */
export interface RunningLook extends RunningJob {
  /** Whether the holder has answered the liveness check; null when the check could not be sent. */
  answered: boolean | null;
}

/** The facts to compare. */
export interface Look {
  at: Date;
  /** `performance.now()` just before the liveness check was sent. */
  calledAt: number;
  queues: QueueLook[];
  overdue: Survey['overdue'];
  /** Number of scheduled jobs without a pending dispatch message. */
  undispatched: number;
  /** At most 1,000 running jobs, the longest silent first. */
  running: RunningLook[];
  /** Number of dead letters; null when the broker has no queue for them. */
  deadLetters: number | null;
  /** Why the liveness check could not be sent; null if it was. */
  notCalled: string | null;
}

/** What `look` needs. */
export interface LookParts {
  database: {
    queues: Pick<QueueStats, 'survey'>;
    outbox: Pick<Outbox, 'countDispatched' | 'listDispatched'>;
    jobTypes: Pick<JobTypes, 'list'>;
  };
  inspector: QueueInspector;
  /** Checks whether a queue works. @returns the fault, or null */
  probe(queue: string): Promise<string | null>;
  publisher: Pick<Publisher, 'publish'>;
  /** The queues that QUEUES names. */
  queues: readonly string[];
  patience: Patience;
}

const PAUSE_MS = 200;
const REOPEN_MS = 5_000;

/**
 * Collects the facts of database and broker. It sends a liveness check, and repeats the look until all agrees, for
 * `lookMs` milliseconds at most. So a dispatch message on its way to a claim, or a late answer, is not a finding.
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
    // Measured after the query: a holder that has answered or claimed before it counts as alive.
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

/** Sends a liveness check to all workers. @returns why that was not possible; null if it was */
export async function callRoll(publisher: Pick<Publisher, 'publish'>): Promise<string | null> {
  try {
    await publisher.publish(control, { command: 'liveness-check' }, { exchange: exchanges.control, mandatory: false });
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

/**
 * Compares queued jobs and dispatch messages with those of the first look. A dispatch message on its way to a claim is
 * not lost.
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

/**
 * Reads the status of a queue; null when there is none. The broker then closes the channel, which is reopened at once.
 */
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

/** The registered job types by the queue in their policy, each with its newest version. */
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
