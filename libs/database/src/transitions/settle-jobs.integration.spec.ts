import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { Outcome } from './settle-jobs.ts';
import { database, sql } from '../spec-database.ts';
import { running, read, errorOf, kept, pending, msUntilDue } from './spec-settle-jobs.ts';

describe('settleJob', () => {
  it('ends a job as succeeded with its result, kept to the letter', async () => {
    const { id, settle } = await running();
    await database.jobs.reportProgress(id, 1, { percent: 99, message: 'nearly' });
    const result = { z: 'a\u0000b \ud800', a: [1.5, null, '{"\\'] };
    const settled = await settle({ status: 'succeeded', result });
    const job = await read(id);
    expect(settled).toEqual(job);
    expect(JSON.stringify(job.result)).toBe(JSON.stringify(result));
    expect(job).toMatchObject({ status: 'succeeded', attempt: 1, version: 4, error: null, errors: [] });
    expect(job.progress).toEqual({ percent: 100, message: 'nearly' });
    expect(job.durationMs).toBe(Date.parse(job.finishedAt as string) - Date.parse(job.startedAt as string));
    expect(await pending(id)).toEqual([]);
  });

  it.each([[null], [undefined], [0], [''], [[]]])('takes the result %p', async (result) => {
    const { id, settle } = await running();
    await settle({ status: 'succeeded', result });
    expect(await read(id)).toMatchObject({ status: 'succeeded', result: result ?? null });
  });

  it('keeps what the last 20 attempts failed with', async () => {
    const { id, claim, settle } = await running({ maxAttempts: 30 });
    for (let attempt = 1; attempt <= 23; attempt += 1) {
      await settle({ status: 'scheduled', error: errorOf(attempt), delayMs: 0 }, attempt);
      await claim();
    }
    const { errors } = await read(id);
    expect(errors.map(({ attempt }) => attempt)).toEqual(Array.from({ length: 20 }, (_, at) => at + 4));
  });

  it('ends a job as failed with its error, and keeps what earlier attempts failed with', async () => {
    const { id, claim, settle } = await running();
    await settle({ status: 'scheduled', error: errorOf(1), delayMs: 0 });
    await claim();
    const settled = await settle({ status: 'failed', error: errorOf(2, 'for good') }, 2);
    const job = await read(id);
    expect(settled).toEqual(job);
    expect(job).toMatchObject({ status: 'failed', attempt: 2, result: null, errors: [kept(1)] });
    expect(job.error).toEqual(kept(2, 'for good'));
    expect(job.finishedAt).not.toBeNull();
  });

  it('schedules a retry by the clock of the database and has a pending dispatch message when it is due', async () => {
    const { id, settle } = await running();
    const settled = await settle({ status: 'scheduled', error: errorOf(1), delayMs: 60_000 });
    const job = await read(id);
    expect(settled).toEqual(job);
    expect(job).toMatchObject({ status: 'scheduled', attempt: 1, maxAttempts: 3, error: null, finishedAt: null });
    expect(job.errors).toEqual([kept(1)]);
    expect(await pending(id)).toEqual([0]);
    const ms = await msUntilDue(id);
    expect(ms).toBeGreaterThan(30_000);
    expect(ms).toBeLessThanOrEqual(60_001);
  });

  it('lets "not now" cost no attempt: one more is allowed, none is taken back', async () => {
    const { id, settle } = await running({ maxAttempts: 1 });
    const settled = await settle({ status: 'scheduled', error: null, delayMs: 60_000 });
    expect(settled).toMatchObject({ status: 'scheduled', attempt: 1, maxAttempts: 2, errors: [], error: null });
    expect(await pending(id)).toEqual([0]);
  });

  it('queues a job that is given back at once, without costing an attempt, and has a pending dispatch message should its old one be lost', async () => {
    const { id, claim, settle } = await running({ maxAttempts: 1 });
    const settled = await settle({ status: 'queued' });
    expect(settled).toMatchObject({ status: 'queued', attempt: 1, maxAttempts: 2, errors: [], error: null });
    expect(settled?.finishedAt).toBeNull();
    expect(await pending(id)).toEqual([expect.closeTo(5, 0)]);
    expect(await claim(true)).toMatchObject({ kind: 'claimed', takeover: false, job: { attempt: 2, errors: [] } });
  });

  describe('whose delivery was lost on an open connection', () => {
    const lost = (attempt: number): Outcome => {
      const error = { code: 'delivery-lost', message: '406', attempt };
      return { status: 'scheduled', error, delayMs: 0, deliveryLost: true };
    };

    it('gives the job back twice, and counts it as failed from the third time in a row on', async () => {
      const { claim, settleClaimed } = await running({ maxAttempts: 1 });
      for (const attempt of [1, 2]) {
        expect(await settleClaimed(lost(attempt), attempt)).toMatchObject({ status: 'queued', errors: [], attempt });
        await claim();
      }
      const errors = [{ code: 'delivery-lost', attempt: 3 }];
      expect(await settleClaimed(lost(3), 3)).toMatchObject({ status: 'scheduled', maxAttempts: 3, errors });
      await claim();
      const failed = { ...lost(4), status: 'failed' } as Outcome;
      expect(await settleClaimed(failed, 4)).toMatchObject({ status: 'failed', error: { attempt: 4 }, errors });
    });

    it('begins to count anew when an attempt came to an end by itself, and at a retry by hand', async () => {
      const { id, claim, settle } = await running({ maxAttempts: 9 });
      const steps: Outcome[] = [
        lost(1),
        lost(2),
        { status: 'scheduled', error: errorOf(3), delayMs: 0 },
        lost(4),
        lost(5),
        { status: 'failed', error: errorOf(6) },
      ];
      for (const [index, outcome] of steps.entries()) {
        await settle(outcome, index + 1);
        if (outcome !== steps.at(-1)) await claim();
      }
      expect((await read(id)).errors).toEqual([kept(3)]);
      await database.jobs.retry(id);
      await claim();
      expect(await settle(lost(7), 7)).toMatchObject({ status: 'queued', errors: [kept(3), kept(6)] });
    });

    it('goes on counting when a worker that stops gives it back in between', async () => {
      const { claim, settle } = await running();
      for (const [index, outcome] of [lost(1), { status: 'queued' } as const, lost(3)].entries()) {
        await settle(outcome, index + 1);
        await claim();
      }
      expect(await settle(lost(4), 4)).toMatchObject({ errors: [{ code: 'delivery-lost', attempt: 4 }] });
    });

    it('ends as cancelled when that was asked, the first time too', async () => {
      const { id, settle } = await running();
      await database.jobs.cancel(id);
      expect(await settle(lost(1))).toMatchObject({ status: 'cancelled', errors: [] });
    });
  });

  it.each<Outcome>([
    { status: 'succeeded', result: 'stale' },
    { status: 'failed', error: errorOf(1) },
    { status: 'scheduled', error: errorOf(1), delayMs: 0 },
    { status: 'queued' },
  ])('refuses the $status of an attempt that was taken over, and lets the new one write', async (outcome) => {
    const { id, claim, settle } = await running();
    await claim(true);
    const before = await read(id);
    expect(await settle(outcome, 1)).toBeNull();
    expect(await read(id)).toEqual(before);
    expect(await pending(id)).toEqual([]);
    expect(await settle({ status: 'succeeded', result: 'fresh' }, 2)).toMatchObject({ result: 'fresh', attempt: 2 });
  });

  it('refuses a second outcome of the same attempt', async () => {
    const { id, settle } = await running();
    await settle({ status: 'succeeded', result: 1 });
    const before = await read(id);
    expect(await settle({ status: 'failed', error: errorOf(1) })).toBeNull();
    expect(await read(id)).toEqual(before);
  });

  it('refuses an outcome of an attempt that has not begun, or of an unknown job', async () => {
    const { settle } = await running();
    expect(await settle({ status: 'succeeded', result: 1 }, 2)).toBeNull();
    const outcome: Outcome = { status: 'succeeded', result: 1 };
    expect(await database.jobs.settle({ jobId: randomUUID(), attempt: 1, outcome })).toBeNull();
  });

  it.each(['settle', 'settleClaimed'] as const)(
    'puts no more than 2 MiB of results into a statement: %s',
    async (by) => {
      const json = JSON.stringify('\u0001'.repeat(150_000)); // 900,002 characters
      const jobs = await Promise.all(Array.from({ length: 5 }, () => running()));
      await Promise.all(jobs.map((job) => job[by]({ status: 'succeeded', result: null, json })));
      const counted = 'select count(*)::int as jobs from jobs where id = any($1) group by xmin::text';
      const { rows } = await sql.query<{ jobs: number }>(counted, [jobs.map(({ id }) => id)]);
      expect(rows.map(({ jobs }) => jobs).sort()).toEqual([1, 2, 2]);
    },
  );

  it('settles different jobs, and two attempts of one, in one batch, each for itself', async () => {
    const [one, two, three, four] = [await running(), await running(), await running(), await running()];
    await three.claim(true);
    const settled = await Promise.all([
      one.settle({ status: 'succeeded', result: ['{', '"'] }),
      two.settle({ status: 'failed', error: errorOf(1) }),
      three.settle({ status: 'succeeded', result: 'stale' }, 1),
      three.settle({ status: 'scheduled', error: null, delayMs: 60_000 }, 2),
      four.settle({ status: 'queued' }),
    ]);
    expect(settled.map((job) => job && [job.id, job.status, job.result])).toEqual([
      [one.id, 'succeeded', ['{', '"']],
      [two.id, 'failed', null],
      null,
      [three.id, 'scheduled', null],
      [four.id, 'queued', null],
    ]);
    expect(await pending(three.id)).toEqual([0]);
  });
});
