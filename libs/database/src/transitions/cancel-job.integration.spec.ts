import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { useJobs } from './spec-jobs.ts';

const jobs = useJobs();
const error = { code: 'handler-error', message: 'no luck', attempt: 1 };

describe('cancelJob', () => {
  it.each([
    ['queued', 0],
    ['scheduled', 60_000],
  ])('ends a %s job at once, and stores no dispatch message for it', async (status, delayMs) => {
    const { id, job } = await jobs.create({ delayMs });
    expect(job.status).toBe(status);
    const cancellation = await jobs.database.jobs.cancel(id);
    const cancelled = await jobs.read(id);
    expect(cancellation).toEqual({ kind: 'cancelled', job: cancelled });
    expect(cancelled).toMatchObject({ status: 'cancelled', attempt: 0, version: 2, error: null });
    expect(cancelled.finishedAt).not.toBeNull();
    expect(await jobs.pending(id)).toBe(0);
    expect(await jobs.claim(id)).toEqual({ kind: 'refused', job: cancelled });
  });

  it('only notes it of a running job, which stays as it is', async () => {
    const { id } = await jobs.running();
    const before = await jobs.read(id);
    expect(await jobs.database.jobs.cancel(id)).toEqual({ kind: 'requested', job: before });
    expect(await jobs.read(id)).toEqual(before);
  });

  it('refuses a finished job, and knows of no other', async () => {
    const { id, settle } = await jobs.running();
    const job = await settle({ status: 'succeeded', result: 1 });
    expect(await jobs.database.jobs.cancel(id)).toEqual({
      kind: 'finished',
      job: { ...job, payload: null, result: null, errors: [] },
    });
    expect(await jobs.database.jobs.cancel(randomUUID())).toBeNull();
  });

  it.each([
    ['gives it back', { status: 'queued' }, []],
    ['would try again', { status: 'scheduled', error, delayMs: 0 }, ['handler-error']],
    ['snoozes', { status: 'scheduled', error: null, delayMs: 0 }, []],
    ['fails', { status: 'failed', error }, ['handler-error']],
    ['says so', { status: 'cancelled' }, []],
  ] as const)('ends a running job as cancelled when its worker %s', async (_what, outcome, codes) => {
    const { id, settle } = await jobs.running();
    await jobs.database.jobs.cancel(id);
    const settled = await settle(outcome);
    expect(settled).toMatchObject({ status: 'cancelled', error: null, result: null, maxAttempts: 3 });
    expect(settled?.errors.map(({ code }) => code)).toEqual(codes);
    expect(settled?.finishedAt).not.toBeNull();
    expect(await jobs.pending(id)).toBe(0);
  });

  it('keeps the result of a job that succeeds before its worker is told', async () => {
    const { id, settle } = await jobs.running();
    await jobs.database.jobs.cancel(id);
    expect(await settle({ status: 'succeeded', result: 'done' })).toMatchObject({
      status: 'succeeded',
      result: 'done',
    });
  });

  it('ends a job as cancelled whose worker is lost before it is told', async () => {
    const { id, dispatchId } = await jobs.running();
    await jobs.database.jobs.cancel(id);
    const claim = await jobs.claim(id, { dispatchId, count: 1 });
    const job = await jobs.read(id);
    expect(claim).toEqual({ kind: 'ended', job });
    expect(job).toMatchObject({ status: 'cancelled', attempt: 1, error: null, errors: [{ code: 'worker-lost' }] });
  });

  it('leaves one of a cancel and a claim that meet as the winner', async () => {
    const ids = await Promise.all(Array.from({ length: 50 }, () => jobs.dispatched()));
    const outcomes = await Promise.all(
      ids.map(async (id) => Promise.all([jobs.claim(id), jobs.database.jobs.cancel(id)])),
    );
    for (const [claim, cancellation] of outcomes) {
      expect([claim.kind, cancellation?.kind]).toEqual(
        claim.kind === 'claimed' ? ['claimed', 'requested'] : ['refused', 'cancelled'],
      );
    }
  });
});
