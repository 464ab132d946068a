import type { JobStore, QueueStats, Outbox } from '@offload/database';
import { addressOf, exchanges, jobEvents, dispatchQueue } from '@offload/job-messages';
import { isFinished, type Job } from '@offload/jobs';
import { eventOf } from '@offload/jobs/events';
import type { Publisher } from '@offload/messaging';
import type { QueueInspector } from '@offload/messaging/queues';
import { delay } from '@offload/process';
import { silentOf } from './examine.ts';
import { callRoll, inspect, type Look } from './look.ts';
import type { Patience } from './patience.ts';
import { counted } from './wording.ts';

export interface RepairParts {
  database: {
    outbox: Pick<Outbox, 'redispatchLost' | 'redispatchScheduled'>;
    jobs: Pick<JobStore, 'releaseUnheld'>;
    queues: Pick<QueueStats, 'survey'>;
  };
  inspector: QueueInspector;
  publisher: Pick<Publisher, 'publish'>;
  /** Declares all exchanges and queues of QUEUES; those that are there stay as they are. */
  declare(): Promise<void>;
  patience: Patience;
}

/** Most jobs changed by one statement. */
const BATCH = 1_000;
/** For the way of a statement to the database, whose clock says who was silent. */
const MARGIN_MS = 250;

/**
 * Mends what a look has found; dead letters are left to people.
 *
 * @returns what was done, a sentence each
 */
export async function repair(found: Look, parts: RepairParts): Promise<string[]> {
  const done = [
    ...(await declareMissing(found, parts)),
    ...(await dispatchAgain(found, parts)),
    ...(await takeFromSilent(found, parts)),
  ];
  if (done.length > 0) await untilDispatched(parts);
  return done;
}

async function declareMissing({ queues, deadLetters, notCalled }: Look, { declare }: RepairParts): Promise<string[]> {
  const missing = queues.filter(({ named, broker }) => named && !broker).map(({ queue }) => dispatchQueue(queue));
  if (deadLetters === null) missing.push(exchanges.dead);
  if (missing.length === 0 && notCalled === null) return [];
  try {
    await declare();
  } catch (error) {
    return [`Could not declare what is missing: ${(error as Error).message}`];
  }
  return [missing.length > 0 ? `Declared ${missing.join(', ')}.` : 'Declared all exchanges and queues.'];
}

async function dispatchAgain({ queues, undispatched }: Look, { database, inspector }: RepairParts): Promise<string[]> {
  const done: string[] = [];
  for (const { queue, lost } of queues) {
    if (lost.length === 0) continue;
    if (!(await inspect(dispatchQueue(queue), inspector))) {
      done.push(
        `Left the ${counted(lost.length, 'job')} of ${queue}: the broker has no ${dispatchQueue(queue)} for their dispatch messages.`,
      );
      continue;
    }
    const pending = await database.outbox.redispatchLost([...lost]);
    if (pending > 0) done.push(`Pending ${counted(pending, 'job')} of ${queue} their lost dispatch again.`);
    if (pending < lost.length)
      done.push(`Left ${counted(lost.length - pending, 'job')} of ${queue}: by now they are dispatched, or claimed.`);
  }
  if (undispatched > 0) {
    const pending = await inBatches(undispatched, (limit) => database.outbox.redispatchScheduled(limit));
    done.push(`Pending ${counted(pending, 'scheduled job')} a dispatch again.`);
  }
  return done;
}

async function inBatches(count: number, change: (limit: number) => Promise<number>): Promise<number> {
  let changed = 0;
  while (changed < count) {
    const more = await change(Math.min(count - changed, BATCH));
    if (more === 0) break;
    changed += more;
  }
  return changed;
}

/** Only who has left two liveness checks unanswered, some seconds apart. Should it be alive after all, the fence keeps it out. */
async function takeFromSilent({ running, calledAt }: Look, parts: RepairParts): Promise<string[]> {
  const { database, publisher, patience } = parts;
  const silent = silentOf(running).length;
  if (silent === 0) return [];
  await delay(Math.max(0, calledAt + patience.betweenCallsMs - performance.now()));
  const notCalled = await callRoll(publisher);
  if (notCalled !== null) return [`Took no job from its holder: the roll could not be called again: ${notCalled}.`];
  await delay(patience.lookMs);
  const taken: Job[] = [];
  for (;;) {
    const more = await database.jobs.releaseUnheld(performance.now() - calledAt + MARGIN_MS, BATCH);
    taken.push(...more);
    if (more.length < BATCH) break;
  }
  await Promise.all(taken.map((job) => publishEvent(job, publisher)));
  if (taken.length === 0)
    return ['Took no job from its holder: by now all have answered, or their jobs have moved on.'];
  const finished = taken.filter(({ status }) => isFinished(status)).length;
  const ended = finished > 0 ? `; ${finished} of them had no attempt left, or were to be cancelled, and ended` : '';
  return [`Took ${counted(taken.length, 'job')} from holders that left two liveness checks unanswered${ended}.`];
}

/** At most once, as the api does: who needs to be sure reads the row. */
async function publishEvent(job: Job, publisher: Pick<Publisher, 'publish'>): Promise<void> {
  const event = eventOf(job);
  await publisher
    .publish(jobEvents, [event], { exchange: exchanges.events, ...addressOf(event), mandatory: false })
    .catch(() => undefined); // the row has it
}

/** Gives a running api the time to dispatch, so that the next look tells whether there is one. */
async function untilDispatched({ database, patience }: RepairParts): Promise<void> {
  for (const until = performance.now() + patience.dispatchingMs; performance.now() < until; await delay(100)) {
    if ((await database.queues.survey()).overdue.count === 0) return;
  }
}
