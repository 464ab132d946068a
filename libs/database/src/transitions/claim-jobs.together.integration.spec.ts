import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { openDatabase } from '../open-database.ts';
import { claimJobs, claimWaitingJobs, type Claim, type Delivery } from './claim-jobs.ts';
import { confirmDispatches } from './due-dispatches.ts';
import { database, sql, url } from '../spec-database.ts';
import { create, dispatch, running, read, claimAll } from './spec-claim-jobs.ts';

describe('claimJob in one batch', () => {
  it('gives a queued job to exactly one of two dispatch messages', async () => {
    const jobId = await create();
    const claims = await claimAll([dispatch(jobId).first, dispatch(jobId).first]);
    const job = await read(jobId);
    expect(job).toMatchObject({ status: 'running', attempt: 1 });
    expect(claims.map(({ kind }) => kind).sort()).toEqual(['claimed', 'refused']);
    expect(claims.map((claim) => claim.job)).toEqual([job, job]);
  });

  it.each([
    ['first', ['claimed', 'refused']],
    ['last', ['refused', 'claimed']],
  ])('gives a running job to its own redelivered dispatch message, put %s, not to another', async (place, kinds) => {
    const { holder, stranger } = await running();
    const deliveries = [holder.again, stranger.again];
    const claims = await claimAll(place === 'first' ? deliveries : deliveries.reverse());
    expect(claims.map(({ kind }) => kind)).toEqual(kinds);
    expect(claims).toContainEqual(expect.objectContaining({ kind: 'claimed', takeover: true }));
  });

  it('gives a job to one delivery alone where the same dispatch message came twice: the last, whose forerunner is lost', async () => {
    const { holder } = await running();
    expect(await claimAll([holder.again, holder.again])).toMatchObject([
      { kind: 'held', job: { attempt: 2 } },
      { kind: 'claimed', takeover: true, job: { attempt: 2 } },
    ]);
  });

  it('begins a job that waits while another, which is taken over, has to wait for its row', async () => {
    const [waiting, { jobId, holder }] = [await create(), await running()];
    const client = await sql.connect();
    await client.query('begin');
    await client.query('select from jobs where id = $1 for update', [jobId]);
    const takeover = database.jobs.claim(holder.again);
    expect(await database.jobs.claim(dispatch(waiting).first)).toMatchObject({ kind: 'claimed', job: { id: waiting } });
    await client.query('rollback');
    client.release();
    expect(await takeover).toMatchObject({ kind: 'claimed', takeover: true, job: { id: jobId } });
  });

  it('keeps jobs apart whose dispatch messages have one id', async () => {
    const dispatchId = randomUUID();
    const jobIds = [await create(), await create()];
    const claims = await claimAll(jobIds.map((jobId) => dispatch(jobId, dispatchId).first));
    expect(claims.map((claim) => [claim.kind, claim.job?.id])).toEqual(jobIds.map((jobId) => ['claimed', jobId]));
  });

  it('answers each delivery for itself', async () => {
    const [queued, scheduled] = [await create(), await create({ delayMs: 60_000 })];
    const [held, last, lost] = [await running(), await running({ maxAttempts: 1 }), await running()];
    const claims = await claimAll([
      dispatch(randomUUID()).first,
      held.holder.first,
      last.holder.again,
      dispatch(queued).first,
      lost.holder.again,
      dispatch(scheduled).first,
    ]);
    expect(claims.map((claim) => [claim.kind, claim.job?.id, claim.job?.status])).toEqual([
      ['refused', undefined, undefined],
      ['held', held.jobId, 'running'],
      ['ended', last.jobId, 'failed'],
      ['claimed', queued, 'running'],
      ['claimed', lost.jobId, 'running'],
      ['refused', scheduled, 'scheduled'],
    ]);
  });
});

/** What is plain, and then what that has left. */
async function claimPlainFirst(pool: pg.Pool, deliveries: Delivery[]): Promise<(Claim | null)[]> {
  const claims = await claimWaitingJobs(pool, deliveries);
  const left = deliveries.filter((_delivery, index) => !claims[index]);
  return [...claims, ...(await claimJobs(pool, left))];
}

describe('a claim from many processes', () => {
  it('gives one job to exactly one of fifty', async () => {
    const jobId = await create();
    const processes = Array.from({ length: 5 }, () => openDatabase({ url }));
    try {
      const claims = await Promise.all(
        Array.from({ length: 50 }, (_, index) => processes[index % 5]?.jobs.claim(dispatch(jobId).first)),
      );
      const winners = claims.filter((claim) => claim?.kind === 'claimed');
      expect(winners).toMatchObject([{ job: { id: jobId, attempt: 1 } }]);
      expect(claims.filter((claim) => claim?.kind === 'refused')).toHaveLength(49);
      expect(await read(jobId)).toEqual(winners[0]?.job);
    } finally {
      await Promise.all(processes.map((each) => each.close()));
    }
  });

  it.each([
    ['plain first', claimPlainFirst],
    ['general', claimJobs],
  ])(
    'never waits in a circle with another worker (%s), or with the relay that confirms the same dispatch messages',
    async (_which, claim) => {
      for (let round = 0; round < 10; round += 1) {
        const jobs = await Promise.all(Array.from({ length: 100 }, () => create({ delayMs: 60_000 })));
        await sql.query(`update jobs set due_at = now() where id = any($1::uuid[])`, [jobs]);
        const { rows } = await sql.query('select id from outbox where job_id = any($1::uuid[]) order by random()', [
          jobs,
        ]);
        const backwards = [...jobs].reverse();
        const [one, other] = await Promise.all([
          claim(
            sql,
            jobs.map((jobId) => dispatch(jobId).first),
          ),
          claim(
            sql,
            backwards.map((jobId) => dispatch(jobId).first),
          ),
          confirmDispatches(
            sql,
            rows.map(({ id }) => id),
          ),
        ]);
        const claims = [...one, ...other].filter((each) => each?.kind === 'claimed');
        const claimed = claims.map((each) => each?.job?.id);
        expect(claimed.sort()).toEqual([...jobs].sort());
      }
    },
  );
});
