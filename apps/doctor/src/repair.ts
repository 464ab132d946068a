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

/** What a repair needs. */
export interface RepairParts {
  database: {
    outbox: Pick<Outbox, 'redispatchLost' | 'redispatchScheduled'>;
    jobs: Pick<JobStore, 'releaseUnheld'>;
    queues: Pick<QueueStats, 'survey'>;
  };
  inspector: QueueInspector;
  publisher: Pick<Publisher, 'publish'>;
  /** Declares all exchanges and the queues of QUEUES. Existing ones stay as they are. */
  declare(): Promise<void>;
  patience: Patience;
}

/** Most jobs that one statement changes. */
const BATCH = 1_000;
/** Milliseconds for the way of a statement to the database, whose clock decides which holder is silent. */
const MARGIN_MS = 250;

/**
 * Repairs the findings of a look. It does not touch dead letters.
 *
 * @returns a sentence for each repair
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
    return [`Could not declare the missing exchanges and queues: ${(error as Error).message}`];
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
    if (pending > 0) done.push(`Stored ${counted(pending, 'lost dispatch message')} of ${queue} again.`);
    if (pending < lost.length)
      done.push(`Left ${counted(lost.length - pending, 'job')} of ${queue}: they are dispatched or claimed meanwhile.`);
  }
  if (undispatched > 0) {
    const pending = await inBatches(undispatched, (limit) => database.outbox.redispatchScheduled(limit));
    done.push(`Stored ${counted(pending, 'dispatch message')} of scheduled jobs again.`);
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

/**
 * Requeues jobs of holders that leave two liveness checks unanswered. If a holder is alive after all, the fence stops
 * it.
 */
async function takeFromSilent({ running, calledAt }: Look, parts: RepairParts): Promise<string[]> {
  const { database, publisher, patience } = parts;
  const silent = silentOf(running).length;
  if (silent === 0) return [];
  await delay(Math.max(0, calledAt + patience.betweenCallsMs - performance.now()));
  const notCalled = await callRoll(publisher);
  if (notCalled !== null) return [`Requeued no job: the second liveness check could not be sent: ${notCalled}.`];
  await delay(patience.lookMs);
  const taken: Job[] = [];
  for (;;) {
    const more = await database.jobs.releaseUnheld(performance.now() - calledAt + MARGIN_MS, BATCH);
    taken.push(...more);
    if (more.length < BATCH) break;
  }
  await Promise.all(taken.map((job) => publishEvent(job, publisher)));
  if (taken.length === 0) return ['Requeued no job: all holders have answered, or their jobs have moved on.'];
  const finished = taken.filter(({ status }) => isFinished(status)).length;
  const ended =
    finished > 0 ? `; ${finished} of them had no attempt left, or were to be cancelled, and are finished` : '';
  return [`Requeued ${counted(taken.length, 'job')} of holders that left two liveness checks unanswered${ended}.`];
}

/** Publishes an event at most once, as the api does. The row has the state for readers that need to be sure. */
async function publishEvent(job: Job, publisher: Pick<Publisher, 'publish'>): Promise<void> {
  const event = eventOf(job);
  await publisher
    .publish(jobEvents, [event], { exchange: exchanges.events, ...addressOf(event), mandatory: false })
    .catch(() => undefined); // the row has the state
}

/** Waits until a running api has sent the dispatch messages. The next look then shows whether there is such an api. */
async function untilDispatched({ database, patience }: RepairParts): Promise<void> {
  for (const until = performance.now() + patience.dispatchingMs; performance.now() < until; await delay(100)) {
    if ((await database.queues.survey()).overdue.count === 0) return;
  }
}
