import { dispatchQueue } from '@offload/job-messages';
import type { Look, QueueLook, RunningLook } from './look.ts';
import { counted, span } from './wording.ts';

/** A disagreement between database and broker. */
export interface Finding {
  code:
    | 'missing-queue'
    | 'silent-queue'
    | 'unnamed-queue'
    | 'lost-dispatches'
    | 'undispatched-jobs'
    | 'silent-holder'
    | 'liveness-unknown'
    | 'overdue-dispatches'
    | 'no-consumer'
    | 'dead-letters';
  /** The queue that it concerns. */
  queue?: string;
  /** Number of the jobs, dispatch messages or dead letters that it concerns. */
  count: number;
  /** Describes the disagreement. */
  message: string;
  /** Says how to repair it. */
  remedy: string;
}

/** The result of an examination. */
export interface Examination {
  findings: Finding[];
  /** Facts that may surprise but are in order. */
  notes: string[];
}

/** Milliseconds after which a pending dispatch message is overdue. It may be some seconds late if its api has died. */
const OVERDUE_MS = 5_000;
/** Most jobs that a message names. */
const NAMED_JOBS = 3;
const MOST_RUNNING = 1_000;

/** Compares the facts of database and broker. */
export function examine(look: Look): Examination {
  return {
    findings: [
      ...look.queues.flatMap(ofQueue),
      ...ofOverdue(look),
      ...ofUndispatched(look),
      ...ofHolders(look),
      ...ofDeadLetters(look),
    ],
    notes: [...look.queues.flatMap(unservedTypes), ...look.queues.flatMap(spareDispatches), ...ofMany(look)],
  };
}

function ofQueue(look: QueueLook): Finding[] {
  const { queue, named, scheduled, pending, dispatched, running, broker, silent, lost } = look;
  const findings: Finding[] = [];
  const unfinished = scheduled + pending + dispatched + running;
  const due = pending + dispatched + running;
  if (!named && unfinished > 0) {
    findings.push({
      code: 'unnamed-queue',
      queue,
      count: unfinished,
      message: `The queue ${queue} has ${counted(unfinished, 'unfinished job')}, but QUEUES does not name it${
        broker ? '' : `, and the broker has no ${dispatchQueue(queue)}`
      }: no api dispatches its jobs.`,
      remedy: 'Name it in the QUEUES of api, workers and doctor, or cancel its jobs.',
    });
  } else if (named && !broker) {
    findings.push({
      code: 'missing-queue',
      queue,
      count: due,
      message: `The broker has no queue ${dispatchQueue(queue)}.`,
      remedy: '--repair declares it; a running api that may do so does it too, within its RECONCILE_MS.',
    });
  }
  if (silent !== null) {
    findings.push({
      code: 'silent-queue',
      queue,
      count: due,
      message: `${silent.charAt(0).toUpperCase()}${silent.slice(1)}: it accepts and delivers no dispatch messages.`,
      remedy: `Bring its nodes back: \`rabbitmq-queues quorum_status ${dispatchQueue(queue)}\` names its members and its leader.`,
    });
    return findings;
  }
  if (lost.length > 0) {
    findings.push({
      code: 'lost-dispatches',
      queue,
      count: lost.length,
      message: `${counted(lost.length, 'queued job')} of ${queue} ${lost.length === 1 ? 'waits' : 'wait'} for a dispatch message that the broker does not have: it was lost.`,
      remedy: named
        ? '--repair has them dispatched again; a running api does it too, within its RECONCILE_MS.'
        : '--repair has them dispatched again once the broker has their queue.',
    });
  }
  if (broker?.consumers === 0 && due + broker.waiting > 0) {
    findings.push({
      code: 'no-consumer',
      queue,
      count: due,
      message: `No worker consumes ${dispatchQueue(queue)}, where ${counted(due, 'job')} ${due === 1 ? 'is' : 'are'} due and ${counted(broker.waiting, 'dispatch message')} waiting.`,
      remedy: `Start a worker that has ${queue} in its QUEUES.`,
    });
  }
  return findings;
}

function ofDeadLetters({ deadLetters }: Look): Finding[] {
  if (deadLetters === null) {
    return [
      {
        code: 'missing-queue',
        count: 0,
        message: 'The broker has no queue jobs.dead for dead letters.',
        remedy: '--repair declares it.',
      },
    ];
  }
  if (deadLetters === 0) return [];
  return [
    {
      code: 'dead-letters',
      count: deadLetters,
      message: `There ${deadLetters === 1 ? 'is' : 'are'} ${counted(deadLetters, 'dead letter')}: ${deadLetters === 1 ? 'its job is' : 'their jobs are'} not run.`,
      remedy: '"dead-letters" lists them with the reason; then redrive or delete each.',
    },
  ];
}

function ofOverdue({ overdue: { count, oldestMs } }: Look): Finding[] {
  if (count === 0 || oldestMs < OVERDUE_MS) return [];
  return [
    {
      code: 'overdue-dispatches',
      count,
      message: `${counted(count, 'dispatch message')} ${count === 1 ? 'is' : 'are'} overdue, by up to ${span(oldestMs)}, although the broker is there: no api is running, or none can send to the broker.`,
      remedy: 'Start an api, or read in its log why it cannot send to the broker.',
    },
  ];
}

function ofUndispatched({ undispatched }: Look): Finding[] {
  if (undispatched === 0) return [];
  return [
    {
      code: 'undispatched-jobs',
      count: undispatched,
      message: `${counted(undispatched, 'scheduled job')} ${undispatched === 1 ? 'is' : 'are'} without a pending dispatch message, and would never run.`,
      remedy: '--repair stores them again; a running api does so too, within its RECONCILE_MS.',
    },
  ];
}

function ofHolders({ running, notCalled }: Look): Finding[] {
  if (notCalled !== null) {
    return [
      {
        code: 'liveness-unknown',
        count: running.length,
        message: `The liveness check could not be sent, so it is unknown whether the workers of running jobs are alive: ${notCalled}.`,
        remedy: '--repair declares what is missing; then look again.',
      },
    ];
  }
  const silent = silentOf(running);
  const holders = [...new Set(silent.map(({ holder }) => holder))];
  const byHolder = holders.map((each) => [each, silent.filter(({ holder }) => holder === each)] as const);
  return byHolder.map(([holder, jobs]) => ({
    code: 'silent-holder',
    count: jobs.length,
    message: `${holder ?? 'A worker without a name'} holds ${counted(jobs.length, 'running job')} and did not answer the liveness check: ${someOf(jobs)}.`,
    remedy:
      '--repair requeues them if the worker leaves a second liveness check unanswered; a running api does so after three. ' +
      'Normally the broker hands the dispatch messages of a dead worker to another worker by itself.',
  }));
}

/** The jobs whose holder has not answered. */
export function silentOf(running: readonly RunningLook[]): RunningLook[] {
  return running.filter(({ answered }) => answered === false);
}

function someOf(jobs: readonly RunningLook[]): string {
  const named = jobs.slice(0, NAMED_JOBS).map(({ id, silentMs }) => `${id} (silent for ${span(silentMs)})`);
  const more = jobs.length - named.length;
  return more === 0 ? named.join(', ') : `${named.join(', ')} and ${more} more`;
}

/** Notes job types whose jobs would not run. A queue with a fault of its own gets no such note. */
function unservedTypes(look: QueueLook): string[] {
  const { queue, named, types, broker } = look;
  if (types.length === 0 || ofQueue(look).length > 0) return [];
  const need = `${types.join(', ')} ${types.length === 1 ? 'has' : 'have'} the queue ${queue}`;
  if (!named) return [`${need}, which QUEUES does not name: their jobs are refused unless they name another queue.`];
  if (broker?.consumers !== 0) return [];
  return [`${need}, which no worker consumes: their jobs wait until one has it in its QUEUES.`];
}

function spareDispatches({ queue, pending, dispatched, broker }: QueueLook): string[] {
  const spare = (broker?.waiting ?? 0) - pending - dispatched;
  if (spare <= 0) return [];
  return [
    `${counted(spare, 'dispatch message')} more than queued jobs wait in ${dispatchQueue(queue)}: they belong to cancelled jobs, or were sent twice. Each costs a refused claim. You need not do anything.`,
  ];
}

function ofMany({ running }: Look): string[] {
  if (running.length < MOST_RUNNING) return [];
  return [`Only ${MOST_RUNNING} running jobs were looked at, the longest silent first.`];
}
