import { describe, expect, it } from '@jest/globals';
import { eventually } from '@offload/spec-kit';
import type { Outcome } from './settle-jobs.ts';
import { database, sql } from '../spec-database.ts';
import { running, read, errorOf } from './spec-settle-jobs.ts';

describe('settleJob, told what the claim was answered', () => {
  it.each<Outcome>([
    { status: 'succeeded', result: { z: 'a\u0000b \ud800', a: [1.5, null, '{"\\'] } },
    { status: 'succeeded', result: undefined },
    { status: 'failed', error: errorOf(1) },
    { status: 'scheduled', error: errorOf(1), delayMs: 60_000 },
    { status: 'queued' },
    { status: 'cancelled' },
  ])('answers with the job as it is after $status', async (outcome) => {
    const { id, settleClaimed } = await running();
    await database.jobs.reportProgress(id, 1, { percent: 99, message: 'nearly' });
    const settled = await settleClaimed(outcome);
    expect(settled).toEqual(await read(id));
    expect(settled).toMatchObject({ status: outcome.status, version: 4 });
    const percent = outcome.status === 'succeeded' ? 100 : 99;
    expect(settled?.progress).toEqual({ percent, message: 'nearly' });
    expect(await settleClaimed(outcome)).toBeNull();
  });

  it('lets success count although cancellation was requested, and no other outcome', async () => {
    const [one, other] = [await running(), await running()];
    for (const { id } of [one, other]) await database.jobs.cancel(id);
    expect(await one.settleClaimed({ status: 'succeeded', result: 1 })).toMatchObject({ status: 'succeeded' });
    expect(await other.settleClaimed({ status: 'failed', error: errorOf(1) })).toMatchObject({ status: 'cancelled' });
  });

  it('refuses the attempt that was taken over, and takes that of the new one, in one batch', async () => {
    const { id, claim, settleClaimed } = await running();
    await claim(true);
    const [stale, fresh] = await Promise.all([
      settleClaimed({ status: 'succeeded', result: 'stale' }, 1),
      settleClaimed({ status: 'succeeded', result: 'fresh' }, 2),
    ]);
    expect(stale).toBeNull();
    expect(fresh).toEqual(await read(id));
    expect(fresh).toMatchObject({ status: 'succeeded', attempt: 2, result: 'fresh' });
  });

  it('settles the others of a batch when one outcome can not be stored', async () => {
    const [one, other, bad] = [await running(), await running(), await running()];
    const settled = await Promise.allSettled([
      one.settleClaimed({ status: 'succeeded', result: 1 }),
      bad.settleClaimed({ status: 'failed', error: errorOf(1, 'a\0b') }),
      other.settleClaimed({ status: 'succeeded', result: 2 }),
    ]);
    expect(settled).toMatchObject([
      { status: 'fulfilled', value: { status: 'succeeded', result: 1 } },
      { status: 'rejected' },
      { status: 'fulfilled', value: { status: 'succeeded', result: 2 } },
    ]);
  });

  it('waits for a transaction that is changing the job, and sees its result', async () => {
    const [taken, kept] = [await running(), await running()];
    const client = await sql.connect();
    await client.query('begin');
    await client.query(`update jobs set attempt = attempt + 1, version = version + 1 where id = $1`, [taken.id]);
    await client.query(`update jobs set held_at = now(), version = version + 1 where id = $1`, [kept.id]);
    const settling = [taken, kept].map(({ settleClaimed }) => settleClaimed({ status: 'succeeded', result: 1 }));
    await eventually(async () => {
      const { rows } = await sql.query(`select from pg_stat_activity where wait_event_type = 'Lock'`);
      expect(rows.length).toBeGreaterThan(0);
    });
    await client.query('commit');
    client.release();
    const [fenced, settled] = await Promise.all(settling);
    expect(fenced).toBeNull();
    expect(await read(taken.id)).toMatchObject({ status: 'running', attempt: 2, result: null });
    expect(settled).toEqual(await read(kept.id));
    expect(settled).toMatchObject({ status: 'succeeded', result: 1, version: 4 });
  });

  it('owes the webhooks of a success: of the job itself, and of an endpoint that was added after the claim', async () => {
    const webhook = { url: 'https://example.com/own', host: 'example.com', events: ['succeeded' as const] };
    const [own, other] = [await running({ webhook }), await running()];
    const pendingAt = async (id: string) =>
      (await sql.query('select url from webhook_deliveries where job_id = $1', [id])).rows.map(({ url }) => url);
    await own.settleClaimed({ status: 'succeeded', result: 1 });
    expect(await pendingAt(own.id)).toEqual(['https://example.com/own']);
    await sql.query(`insert into webhook_endpoints (name, url, host, events, types, queues, tags)
      values ('spec', 'https://example.com/all', 'example.com', '{succeeded}', '{}', '{}', '{}')`);
    await other.settleClaimed({ status: 'succeeded', result: 1 });
    await sql.query('delete from webhook_endpoints');
    expect(await pendingAt(other.id)).toEqual(['https://example.com/all']);
  });
});
