import { randomUUID } from 'node:crypto';
import { isFinished, type Job } from '@offload/jobs';
import type { Webhook } from '@offload/jobs/webhooks';
import type pg from 'pg';
import type { Database } from './open-database.ts';
import type { ClaimedJob } from './transitions/claim-jobs.ts';
import type { Outcome } from './transitions/settle-jobs.ts';

/** A dispatch message in the broker. */
interface Dispatch {
  jobId: string;
  dispatchId: string;
  /** how often the broker has delivered it before */
  count: number;
}

/** A dispatch message at a worker. */
interface Delivered {
  dispatch: Dispatch;
  claimId: string;
  deliveryCount: number;
  attempt: number | null;
  /** the answer to the claim, if the worker received it */
  claimed?: ClaimedJob;
  /** its channel is gone: the broker has requeued the dispatch message, or lost it */
  lost: boolean;
}

export const WORKERS = 3;
const GRACE_MS = 5_000;
const AN_HOUR_MS = 3_600_000;

/** The last attempt is not retried. */
function lastOutcome(wanted: Outcome): Outcome {
  return wanted.status === 'scheduled' && wanted.error ? { status: 'failed', error: wanted.error } : wanted;
}

/**
 * The system without its processes. The database functions are real; broker and workers are plain data, so that a test
 * can run their steps in any order. Every call is one step.
 */
export function createWorld(database: Database, sql: pg.Pool) {
  let ready: Dispatch[] = [];
  const workers: Delivered[][] = Array.from({ length: WORKERS }, () => []);
  const jobIds: string[] = [];
  const forgotten = new Set<string>();
  /** Jobs that were running when a client cancelled them. */
  const unwanted = new Set<string>();
  /** How many attempts each job may have: its maximum, each one that was not used up, and one for a retry by hand. */
  const allowed = new Map<string, number>();
  /** Jobs with a dedupe key: all have the same key. */
  const keyed = new Set<string>();
  /** Jobs that were retried by hand since the last look at them. */
  const retried = new Set<string>();
  const retries = new Map<string, number>();
  const deleted = new Set<string>();
  /** The claim that began each attempt, as far as workers know. */
  const claimOf = new Map<string, string>();

  const pick = <T>(from: readonly T[], n: number): T | undefined => from[n % Math.max(1, from.length)];
  const workerOf = (n: number): Delivered[] => workers[n % WORKERS] as Delivered[];
  const remove = (worker: Delivered[], delivered: Delivered): void => void worker.splice(worker.indexOf(delivered), 1);
  const requeue = (dispatch: Dispatch): void => void ready.push({ ...dispatch, count: dispatch.count + 1 });

  /** A verdict reaches the broker only over a channel that is open. */
  function answer(worker: Delivered[], delivered: Delivered, verdict: 'ack' | 'requeue'): void {
    remove(worker, delivered);
    if (!delivered.lost && verdict === 'requeue') requeue(delivered.dispatch);
  }

  async function claim(worker: Delivered[], delivered: Delivered, answerLost: boolean) {
    const { dispatch, claimId, deliveryCount } = delivered;
    const { jobId, dispatchId } = dispatch;
    const tried = { jobId, dispatchId, redelivered: deliveryCount > 0, deliveryCount, claimId, holder: 'spec' };
    const before = await database.jobs.get(jobId);
    const held = workers.flat().some((other) => other.dispatch.jobId === jobId && isHolder(other, before));
    if (answerLost) await database.jobs.claim(tried);
    const claimed = await database.jobs.claim(tried);
    if (claimed.kind === 'claimed') Object.assign(delivered, { claimed, attempt: claimed.job.attempt });
    else answer(worker, delivered, claimed.kind === 'held' ? 'requeue' : 'ack');
    const name = `${jobId} ${delivered.attempt}`;
    const shared = delivered.attempt !== null && (claimOf.get(name) ?? claimId) !== claimId;
    if (delivered.attempt !== null) claimOf.set(name, claimId);
    return { before, held, claimed: claimed.kind === 'claimed', shared };
  }

  /** Whether this worker holds the job, as far as broker and database know. */
  function isHolder({ attempt, lost }: Delivered, job: Job | null): boolean {
    return !lost && attempt !== null && job?.status === 'running' && job.attempt === attempt;
  }

  /** Settles as the worker's run-job does. */
  async function settle(worker: Delivered[], delivered: Delivered, wanted: Outcome, answerLost: boolean) {
    const { jobId } = delivered.dispatch;
    const attempt = delivered.attempt as number;
    const before = await database.jobs.get(jobId);
    const outcome = attempt < (before?.maxAttempts ?? 0) ? wanted : lastOutcome(wanted);
    const settlement = { jobId, attempt, outcome, ...(delivered.claimed && { claimed: delivered.claimed }) };
    const first = await database.jobs.settle(settlement);
    const after = await database.jobs.get(settlement.jobId);
    const free = outcome.status === 'queued' || (outcome.status === 'scheduled' && !outcome.error);
    if (first && free && after?.status !== 'cancelled') allowed.set(first.id, (allowed.get(first.id) ?? 0) + 1);
    const job = answerLost ? await database.jobs.settle(settlement) : first;
    const row = job ?? (answerLost ? await database.jobs.get(settlement.jobId) : null);
    const settled = row?.attempt === settlement.attempt && row.status !== 'running' ? row : job;
    answer(worker, delivered, settled && settled.status !== 'queued' ? 'ack' : 'requeue');
    const status = unwanted.has(jobId) && outcome.status !== 'succeeded' ? 'cancelled' : outcome.status;
    return { before, after, landed: first !== null, attempt: settlement.attempt, status };
  }

  return {
    jobIds: jobIds as readonly string[],
    forgotten: forgotten as ReadonlySet<string>,
    unwanted: unwanted as ReadonlySet<string>,
    allowed: allowed as ReadonlyMap<string, number>,
    keyed: keyed as ReadonlySet<string>,
    deleted: deleted as ReadonlySet<string>,
    /** Whether the job was retried since the last call. */
    wasRetried: (jobId: string): boolean => retried.delete(jobId),
    /** How often the job has finished: once for each retry, and once more if it is finished now. */
    ends: ({ id, status }: Job): number => (retries.get(id) ?? 0) + (isFinished(status) ? 1 : 0),

    /** With a dedupe key, at most one such job is not finished. */
    async create(maxAttempts: number, delayMs: number, dedupeKey: string | null = null): Promise<void> {
      const backoff = { baseMs: 0, factor: 1, maxMs: 0 };
      const policy = { priority: 0, tags: [], timeoutMs: 1_000, backoff, runAt: null };
      const work = { id: randomUUID(), type: 'spec.job', queue: 'default', payload: {} };
      const webhook: Webhook = { url: 'https://receiver.test/hook', events: ['succeeded', 'failed', 'cancelled'] };
      const job = { ...work, ...policy, maxAttempts, delayMs, dedupeKey, webhook };
      const submitted = await database.jobs.submit({ jobs: [job], idempotency: null });
      if (submitted.kind !== 'created' || submitted.jobs[0]?.outboxId === null) return;
      jobIds.push(work.id);
      allowed.set(work.id, maxAttempts);
      if (dedupeKey !== null) keyed.add(work.id);
    },

    /** A relay sends the due dispatch messages. It may die before it sends, or before it receives the confirms. */
    async relay(dies: 'before' | 'between' | 'not'): Promise<void> {
      const pending = await database.outbox.takeDue(100, GRACE_MS);
      if (dies === 'before') return;
      for (const { jobId, outboxId } of pending) {
        ready.push({ jobId, dispatchId: randomUUID(), count: 0 });
        if (dies === 'not') await database.outbox.confirm(outboxId);
      }
    },

    deliver(workerNumber: number): void {
      const dispatch = ready.shift();
      if (!dispatch) return;
      const delivered = { dispatch, claimId: randomUUID(), deliveryCount: dispatch.count, attempt: null, lost: false };
      workerOf(workerNumber).push(delivered);
    },

    /** Also claims lost deliveries, because a claim may take long. @returns null if there is nothing to claim */
    async claim(workerNumber: number, n: number, answerLost: boolean) {
      const worker = workerOf(workerNumber);
      const delivered = pick(
        worker.filter(({ attempt }) => attempt === null),
        n,
      );
      return delivered ? claim(worker, delivered, answerLost) : null;
    },

    /** @returns the row before and after, whether and as what the write landed; null if this worker runs nothing */
    async settle(workerNumber: number, n: number, outcome: Outcome, answerLost: boolean) {
      const worker = workerOf(workerNumber);
      const delivered = pick(
        worker.filter(({ attempt }) => attempt !== null),
        n,
      );
      return delivered ? settle(worker, delivered, outcome, answerLost) : null;
    },

    /** The worker's process dies with all its attempts, and the broker requeues its dispatch messages. */
    crash(workerNumber: number): void {
      for (const { dispatch, lost } of workerOf(workerNumber).splice(0)) if (!lost) requeue(dispatch);
    },

    /** Only the worker's channel is lost: the worker continues its attempts. */
    cutOff(workerNumber: number): void {
      for (const delivered of workerOf(workerNumber)) {
        if (!delivered.lost) requeue(delivered.dispatch);
        delivered.lost = true;
      }
    },

    /** The broker loses every message and every channel. */
    wipe(): void {
      for (const { jobId } of ready) forgotten.add(jobId);
      for (const delivered of workers.flat()) {
        if (!delivered.lost) forgotten.add(delivered.dispatch.jobId);
        delivered.lost = true;
      }
      ready = [];
    },

    doubleDispatch(n: number): void {
      const jobId = pick(jobIds, n);
      if (jobId) ready.push({ jobId, dispatchId: randomUUID(), count: 0 });
    },

    async cancel(n: number): Promise<void> {
      const jobId = pick(jobIds, n);
      if (jobId && (await database.jobs.cancel(jobId))?.kind === 'requested') unwanted.add(jobId);
    },

    /** @returns the row before and after, and the result; null if there is no such job */
    async retry(n: number) {
      const jobId = pick(jobIds, n);
      if (!jobId) return null;
      const before = await database.jobs.get(jobId);
      const kind = (await database.jobs.retry(jobId))?.kind ?? null;
      const after = await database.jobs.get(jobId);
      if (kind === 'queued') {
        allowed.set(jobId, Math.max(allowed.get(jobId) ?? 0, (before?.attempt ?? 0) + 1));
        retried.add(jobId);
        retries.set(jobId, (retries.get(jobId) ?? 0) + 1);
        unwanted.delete(jobId);
      }
      return { before, after, kind };
    },

    /** @returns the row before, and whether it is deleted now */
    async delete(n: number) {
      const jobId = pick(jobIds, n);
      if (!jobId) return null;
      const before = await database.jobs.get(jobId);
      const gone = (await database.jobs.delete(jobId)) === 'deleted';
      if (gone) deleted.add(jobId);
      return { before, gone };
    },

    /** Lets time pass: every due time comes this much sooner. */
    async pass(ms: number): Promise<void> {
      const earlier = (column: string) => `${column} = ${column} - $1 * interval '1 millisecond'`;
      await sql.query(`update jobs set ${['due_at', 'held_at'].map(earlier).join(', ')} where finished_at is null`, [
        ms,
      ]);
      await sql.query(`update outbox set ${earlier('due_at')}`, [ms]);
    },

    /** Runs the api's reconcile with its liveness checks, which finds the broker's losses. */
    async reconcile(): Promise<void> {
      const lost = Math.max(0, (await database.outbox.countDispatched('default', null)).dispatched - ready.length);
      await database.outbox.redispatchLost(await database.outbox.listDispatched('default', lost, 0));
      await database.outbox.redispatchScheduled(100);
      await sql.query(`update jobs set held_at = now() - interval '1 minute'`);
      for (const worker of workers) {
        const mine = worker.flatMap(({ dispatch, attempt }) =>
          attempt === null ? [] : [{ jobId: dispatch.jobId, attempt }],
        );
        await database.jobs.hold(mine);
      }
      await database.jobs.releaseUnheld(30_000, 100);
    },

    /** Where the job's dispatch messages are, and whether a worker runs it. */
    async dispatches(jobId: string): Promise<string[]> {
      const pending = await sql.query('select from outbox where job_id = $1', [jobId]);
      const held = workers.flat().filter(({ dispatch, lost }) => dispatch.jobId === jobId && !lost);
      const running = workers.flat().filter(({ dispatch, attempt }) => dispatch.jobId === jobId && attempt !== null);
      return [
        ...Array<string>(pending.rowCount ?? 0).fill('pending'),
        ...ready.filter((dispatch) => dispatch.jobId === jobId).map(() => 'waiting'),
        ...held.map(() => 'held'),
        ...running.map(() => 'running'),
      ];
    },

    /** From now on no process fails, and every handler succeeds. */
    async comeToRest(): Promise<void> {
      for (let round = 0; round < 10; round += 1) {
        await this.pass(AN_HOUR_MS);
        await this.reconcile();
        await this.relay('not');
        while (ready.length > 0) this.deliver(round);
        for (const worker of workers) {
          for (const delivered of [...worker]) {
            if (delivered.attempt === null) await claim(worker, delivered, false);
            if (delivered.attempt !== null) {
              await settle(worker, delivered, { status: 'succeeded', result: delivered.attempt }, false);
            }
          }
        }
      }
    },

    rows: async (): Promise<Job[]> =>
      (await Promise.all(jobIds.map((id) => database.jobs.get(id)))).filter((job) => job !== null),
  };
}

export type World = ReturnType<typeof createWorld>;
