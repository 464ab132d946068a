import { describe, expect, it } from '@jest/globals';
import type { TakenWebhook } from './take-webhooks.ts';
import { jobs, newHost, webhookTo, take, finished, pending, record, log } from './spec-webhooks.ts';

describe('what an attempt came to', () => {
  it('is kept in the log, and a failed one is due again after its delay', async () => {
    const host = newHost();
    const taken = await pending(host);
    await record(taken, { kind: 'retry', delayMs: 0 }, 500);
    const again = (await take(host))[0] as TakenWebhook;
    expect([again.id, again.attempt, again.tries]).toEqual([taken.id, 2, 2]);
    await record(again, { kind: 'delivered' });
    const [delivery] = await log(taken.job.id);
    expect(delivery).toMatchObject({
      id: taken.id,
      jobId: taken.job.id,
      status: 'delivered',
      nextAttemptAt: null,
      endedAt: expect.any(String),
      attempts: [
        { number: 1, status: 500, error: 'it answered so', durationMs: 12, at: expect.stringMatching(/^20.*Z$/) },
        { number: 2, status: 204, error: null, durationMs: 12, at: expect.stringMatching(/^20.*Z$/) },
      ],
    });
    expect(await take(host)).toEqual([]);
  });

  it('is due no sooner than the delay says', async () => {
    const host = newHost();
    const taken = await pending(host);
    await record(taken, { kind: 'retry', delayMs: 3_600_000 }, 503);
    expect(await take(host)).toEqual([]);
    const [{ nextAttemptAt = null } = {}] = await log(taken.job.id);
    expect(Math.abs(Date.parse(nextAttemptAt ?? '') - Date.now() - 3_600_000)).toBeLessThan(10_000);
  });

  it('that arrived counts, even when another has taken it since; that failed does not', async () => {
    const host = newHost();
    const late = await pending(host);
    await jobs.query('update webhook_deliveries set due_at = now() where id = $1', [late.id]);
    const [second] = await take(host);
    await record(late, { kind: 'failed' }, 500);
    expect(await log(late.job.id)).toMatchObject([{ status: 'pending', attempts: [{ number: 1 }] }]);
    await record(late, { kind: 'delivered' });
    await record(second as TakenWebhook, { kind: 'retry', delayMs: 0 }, 500);
    expect(await log(late.job.id)).toMatchObject([{ status: 'delivered', attempts: [{}, {}, { number: 2 }] }]);
    expect(await take(host)).toEqual([]);
  });

  it('that arrived counts, even when it was given up meanwhile', async () => {
    const host = newHost();
    const [first, second] = [await pending(host), await pending(host)];
    await jobs.database.webhooks.endReceiver(second);
    await record(second, { kind: 'failed' }, 410);
    expect(await log(first.job.id)).toMatchObject([{ status: 'failed', error: 'its receiver wants no more webhooks' }]);
    await record(first, { kind: 'delivered' });
    expect(await log(first.job.id)).toMatchObject([{ status: 'delivered', error: null }]);
  });

  it('keeps the last hundred', async () => {
    const host = newHost();
    const taken = await pending(host);
    await jobs.query(
      `update webhook_deliveries set log = (select jsonb_agg('{"number":0,"durationMs":1,"status":1,"error":null,"at":""}'::jsonb)
        from generate_series(1, 100)) where id = $1`,
      [taken.id],
    );
    await record(taken, { kind: 'failed' }, 500);
    const [delivery] = await log(taken.job.id);
    expect([delivery?.attempts.length, delivery?.attempts.at(-1)?.number, delivery?.status]).toEqual([
      100,
      1,
      'failed',
    ]);
  });

  it('is as if it had not begun when it is given back', async () => {
    const host = newHost();
    const taken = await pending(host);
    await jobs.database.webhooks.release(taken);
    expect(await take(host)).toMatchObject([{ id: taken.id, attempt: 2, tries: 1 }]);
  });

  it('ends all pending webhooks of a receiver that wants no more', async () => {
    const host = newHost();
    await finished(webhookTo(host));
    await finished(webhookTo(host));
    await finished(webhookTo(host, { url: `https://${host}/another` }));
    const [gone, ...others] = (await take(host)).sort((a, b) => (a.url < b.url ? 1 : -1)) as [
      TakenWebhook,
      ...TakenWebhook[],
    ];
    for (const other of others) await jobs.database.webhooks.release(other);
    await jobs.database.webhooks.endReceiver(gone);
    await record(gone, { kind: 'failed' }, 410);
    expect((await take(host)).map(({ url }) => url)).toEqual([`https://${host}/another`]);
  });
});

it('is given up when it has been pending for more than a day, also when no notifier could send it', async () => {
  const host = newHost();
  const id = await finished(webhookTo(host));
  await jobs.query(`update webhook_deliveries set pending_since = now() - interval '24 hours' where job_id = $1`, [id]);
  await jobs.database.webhooks.expire();
  expect(await log(id)).toMatchObject([{ status: 'pending' }]);
  await jobs.query(`update webhook_deliveries set pending_since = now() - interval '26 hours' where job_id = $1`, [id]);
  await jobs.database.webhooks.expire();
  expect(await log(id)).toMatchObject([{ status: 'failed', error: 'it was pending for more than a day' }]);
});
