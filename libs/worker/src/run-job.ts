import { randomUUID } from 'node:crypto';
import type { Claim, ClaimedJob, Database, Outcome } from '@offload/database';
import { type PublishEvent, type Dispatch, dispatchId } from '@offload/job-messages';
import { isFinished, type Job, SerializedJob, storable } from '@offload/jobs';
import type { EventName } from '@offload/jobs/events';
import type { Delivery, Verdict } from '@offload/messaging';
import type { Outbound } from '@offload/outbound';
import type { Logger } from '@offload/process';
import { attempt } from './attempt.ts';
import { idempotencyKeyOf, type HandlerContext } from './handler.ts';
import type { HeldJobs, Holding } from './held-jobs.ts';
import type { JobMetrics } from './job-metrics.ts';
import { persist } from './persist.ts';
import { reportProgressTo } from './progress.ts';
import type { PutBacks } from './put-backs.ts';
import type { RunnableType } from './runnable-type.ts';
import type { Slot } from './slots.ts';

export interface RunJobParts {
  database: Database;
  publishEvent: PublishEvent;
  /** This worker's name. */
  holder: string;
  heldJobs: HeldJobs;
  findHandler(type: string): RunnableType | undefined;
  putBacks: PutBacks;
  outbound: Outbound;
  metrics: JobMetrics;
  log: Logger;
  /** Fires when the worker begins to stop: it requeues dispatch messages that it has not claimed by then. */
  stopping: AbortSignal;
}

type DispatchDelivery = Pick<Delivery<Dispatch>, 'body' | 'messageId' | 'redelivered' | 'deliveryCount' | 'signal'>;

/**
 * How long a dispatch message waits for a slot before the worker requeues it, in milliseconds: another worker may have
 * a slot. The time doubles with each redelivery, since the broker delivers a dispatch message 500 times at most.
 */
const FIRST_WAIT_MS = 1_000;
/** Longest wait for a slot: below any sensible `consumer_timeout` of the broker. */
const LONGEST_WAIT_MS = 5 * 60_000;

/**
 * Processes one delivery of a dispatch message: claim → handler → outcome → event → acknowledgement.
 *
 * The delivery stays unacknowledged until the end. So when this process dies, the broker redelivers the dispatch
 * message to another worker. Rejects only when the delivery is lost, or after an unexpected fault.
 */
export async function runJob(delivery: DispatchDelivery, parts: RunJobParts): Promise<Verdict> {
  const dispatch = dispatchId.safeParse(delivery.messageId);
  if (!dispatch.success) return { reject: 'message_id is not a UUID' };
  const holding = parts.heldJobs.take(delivery.body.jobId, delivery.signal);
  let slot: Slot | undefined;
  try {
    const slots = parts.findHandler(delivery.body.type)?.slots;
    if (slots) {
      const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** delivery.deliveryCount);
      slot = (await slots.take(waitMs, [delivery.signal, parts.stopping])) ?? undefined;
      if (!slot) return 'requeue'; // not claimed, so the job's timeout has not begun
    }
    return await runHeld(delivery, dispatch.data, holding, parts, slot);
  } finally {
    holding.release();
    slot?.release();
  }
}

async function runHeld(
  delivery: DispatchDelivery,
  dispatchId: string,
  holding: Holding,
  parts: RunJobParts,
  slot: Slot | undefined,
): Promise<Verdict> {
  const { metrics, log } = parts;
  const claim = await claimFor(delivery, dispatchId, parts);
  if (!claim) return 'requeue';
  metrics.delivery(claim);

  if (claim.kind === 'refused') {
    // The last worker may have died after it stored the outcome, and before it published the event.
    if (delivery.redelivered && claim.job && isFinished(claim.job.status))
      await publishEventFor(delivery, new SerializedJob(claim.job), parts);
    return 'ack';
  }
  if (claim.kind === 'held') return 'later';
  if (claim.kind === 'ended') {
    const { id, attempt, status } = claim.job;
    log.warn({ jobId: id, attempt }, `job ${status}: its last worker was lost`);
    await publishEventFor(delivery, new SerializedJob(claim.job), parts);
    return 'ack';
  }

  holding.claimed(claim.job.attempt, claim.job.type);
  const { id: jobId, type, attempt } = claim.job;
  const about = { jobId, type, attempt };
  log.info(about, 'running');
  const started = performance.now();
  const noLongerRunning = metrics.running();
  const running = outcomeOf(claim, holding, parts).finally(noLongerRunning);
  publishEventInPassing(claim.serialized, parts); // after the start of the handler, which must not wait for it
  const outcome = await running;
  slot?.release(); // before the outcome, which may wait for the database
  const seconds = (performance.now() - started) / 1_000;
  metrics.outcome(type, outcome, seconds);

  const job = await settle(delivery, claim, outcome, parts);
  if (job) {
    const error = 'error' in outcome && outcome.error ? outcome.error : undefined;
    const level = job.status === 'failed' ? 'error' : error ? 'warn' : 'info';
    log[level]({ ...about, seconds, error }, job.status);
    const result = job.status === 'succeeded' && outcome.status === 'succeeded' ? outcome.json : undefined;
    await publishEventFor(delivery, claim.serialized.next(job, result), parts);
  }
  // Fenced: requeue instead of acknowledging. The current holder may have lost its own delivery, and then no other
  // dispatch message would hand the job on.
  return !job || job.status === 'queued' ? 'requeue' : 'ack';
}

/**
 * Claims the job. Every try has the same claim id, so a try finds an earlier claim whose answer was lost.
 *
 * @returns null when this worker stops before a try has succeeded
 */
async function claimFor(delivery: DispatchDelivery, dispatchId: string, parts: RunJobParts): Promise<Claim | null> {
  const { body, redelivered, deliveryCount, signal } = delivery;
  const { database, holder, stopping, log } = parts;
  const claim = { jobId: body.jobId, dispatchId, redelivered, deliveryCount, claimId: randomUUID(), holder };
  const onRetry = waiting('the claim', body.jobId, log);
  try {
    return await persist(() => database.jobs.claim(claim), [signal, stopping], onRetry);
  } catch (error) {
    if (stopping.aborted && error === stopping.reason) return null;
    throw error;
  }
}

async function outcomeOf(claim: ClaimedJob, holding: Holding, parts: RunJobParts): Promise<Outcome> {
  const { job, typeVersion, timeoutMs, backoff } = claim;
  const { database, findHandler, putBacks, outbound, log } = parts;

  const found = findHandler(job.type);
  if (!found || found.definition.version < typeVersion) {
    return { status: 'scheduled', error: null, delayMs: putBacks.delayMs(job, typeVersion) };
  }

  const reporter = reportProgressTo(async (progress) => {
    try {
      const current = await database.jobs.reportProgress(job.id, job.attempt, progress);
      if (current) publishEventInPassing(new SerializedJob(current), parts, 'job.progress');
      else holding.run.abort(new Error('another attempt holds the job'));
    } catch (error) {
      log.debug({ err: error, jobId: job.id }, 'progress not reported');
    }
  });
  try {
    return await attempt({
      job,
      typeVersion,
      ...found,
      timeoutMs,
      backoff,
      holding,
      context: contextOf(job, holding, reporter.progress, outbound, log),
    });
  } finally {
    await reporter.stop();
  }
}

function contextOf(
  { id, type, attempt }: Job,
  { run }: Holding,
  progress: HandlerContext['progress'],
  outbound: Outbound,
  log: Logger,
): HandlerContext {
  return {
    jobId: id,
    attempt,
    idempotencyKey: idempotencyKeyOf(id),
    progress,
    outbound,
    get signal() {
      return run.signal;
    },
    log: log.child({ jobId: id, type, attempt }),
  };
}

/**
 * Stores the outcome of the attempt. If the database refuses it, the job fails with the reason, since the database
 * would refuse the outcome of the next attempt, too. After any other fault of the database, tries again.
 *
 * @returns the job to publish, or null when another attempt holds the job by now
 */
async function settle(
  delivery: DispatchDelivery,
  claimed: ClaimedJob,
  outcome: Outcome,
  parts: RunJobParts,
): Promise<Job | null> {
  try {
    return await store(delivery, claimed, outcome, parts);
  } catch (error) {
    if (delivery.signal.aborted) throw error;
    const { id: jobId, attempt } = claimed.job;
    parts.log.error({ err: error, jobId, attempt }, 'the outcome cannot be stored: the job fails');
    const message = storable(`the outcome cannot be stored: ${(error as Error).message}`, 2_000);
    const failed: Outcome = { status: 'failed', error: { code: 'outcome-not-stored', message, attempt } };
    return store(delivery, claimed, failed, parts);
  }
}

/** @returns the stored job, or null when another attempt holds the job by now */
async function store(
  { signal }: DispatchDelivery,
  claimed: ClaimedJob,
  outcome: Outcome,
  { database, metrics, log }: RunJobParts,
): Promise<Job | null> {
  const { id, attempt } = claimed.job;
  const settlement = { jobId: id, attempt, outcome, claimed };
  let tries = 0;
  const job = await persist(
    (tryNumber) => {
      tries = tryNumber;
      return database.jobs.settle(settlement);
    },
    [signal],
    waiting('the outcome', id, log),
  );
  if (job) return job;
  if (tries > 1) {
    // An earlier try may have succeeded although its answer was lost: then the row has this attempt, and is settled.
    const row = await persist(() => database.jobs.get(id), [signal], waiting('the outcome', id, log));
    if (row?.attempt === attempt && row.status !== 'running') return row;
  }
  metrics.fenced();
  const error = 'error' in outcome && outcome.error ? outcome.error : undefined;
  log.warn({ jobId: id, attempt, error }, 'fenced: another attempt holds the job');
  return null;
}

/** Publishes the event of the outcome. The broker must confirm it before the dispatch message is acknowledged. */
function publishEventFor(
  { signal }: DispatchDelivery,
  serialized: SerializedJob,
  { publishEvent, log }: RunJobParts,
): Promise<void> {
  return persist(() => publishEvent(serialized), [signal], waiting('the last event', serialized.job.id, log));
}

function waiting(what: string, jobId: string, log: Logger): (error: Error) => void {
  return (error) => log.warn({ err: error, jobId }, `${what} has to wait; it is tried until it works`);
}

/** Publishes an event before the outcome. If it is lost, the next event makes up for it. */
function publishEventInPassing(serialized: SerializedJob, { publishEvent, log }: RunJobParts, event?: EventName): void {
  const jobId = serialized.job.id;
  publishEvent(serialized, event).catch((error: Error) => log.debug({ err: error, jobId }, 'event not sent'));
}
