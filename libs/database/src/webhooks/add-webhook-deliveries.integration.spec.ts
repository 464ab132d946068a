import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { Webhook, WebhookEvent } from '@offload/jobs/webhooks';
import { jobs, error, newHost, webhookTo, take, finished, pending, record, log } from './spec-webhooks.ts';

describe('the end of a job', () => {
  it('owes its webhook, with the job as it is then', async () => {
    const host = newHost();
    const id = await finished(webhookTo(`${host}:8443`), { payload: { text: '\u0000 1e400' }, tags: ['a'] });
    const [taken] = await take(`${host}:8443`);
    expect(taken).toMatchObject({ url: `https://${host}:8443/hook`, endpoint: null, event: 'succeeded', attempt: 1 });
    expect(taken?.job).toEqual(await jobs.database.jobs.get(id));
    expect(taken?.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const made = Number.parseInt((taken?.id ?? '').replace('-', '').slice(0, 12), 16);
    expect(Math.abs(made - Date.parse(taken?.job.finishedAt ?? ''))).toBeLessThan(5_000);
  });

  it('leaves nothing pending for events that were not asked for, nor before the end', async () => {
    const host = newHost();
    const { id, settle } = await jobs.running({ webhook: webhookTo(host, { events: ['failed'] }) });
    expect(await log(id)).toEqual([]);
    await settle({ status: 'succeeded', result: 1 });
    const retried = await jobs.running({ webhook: webhookTo(host) });
    await retried.settle({ status: 'scheduled', error, delayMs: 0 });
    await finished(undefined as never);
    expect(await take(host)).toEqual([]);
  });

  it.each<[string, WebhookEvent, (webhook: Webhook) => Promise<string>]>([
    [
      'a failed attempt',
      'failed',
      async (webhook) => {
        const { id, settle } = await jobs.running({ webhook });
        await settle({ status: 'failed', error });
        return id;
      },
    ],
    [
      'a handler that was told to stop',
      'cancelled',
      async (webhook) => {
        const { id, settle } = await jobs.running({ webhook });
        await jobs.database.jobs.cancel(id);
        expect(await log(id)).toEqual([]); // only asked for so far
        await settle({ status: 'cancelled' });
        return id;
      },
    ],
    [
      'being cancelled while it waited',
      'cancelled',
      async (webhook) => {
        const id = await jobs.dispatched({ webhook });
        await jobs.database.jobs.cancel(id);
        await jobs.database.jobs.cancel(id);
        return id;
      },
    ],
    [
      'the loss of its last worker',
      'failed',
      async (webhook) => {
        const { id, dispatchId } = await jobs.running({ webhook, maxAttempts: 1 });
        await jobs.claim(id, { dispatchId, count: 1 });
        return id;
      },
    ],
    [
      'the silence of its last worker',
      'failed',
      async (webhook) => {
        const { id } = await jobs.running({ webhook, maxAttempts: 1 });
        await jobs.silence(id, 3_600_000);
        await jobs.database.jobs.releaseUnheld(60_000, 10);
        return id;
      },
    ],
  ])('is told after %s', async (_how, event, end) => {
    const host = newHost();
    const id = await end(webhookTo(host));
    const pending = await take(host);
    expect(pending.map(({ event, job }) => [event, job.id, job.status])).toEqual([[event, id, event]]);
  });

  it('is told each time when the job is retried by hand, each time as it was', async () => {
    const host = newHost();
    const { id, settle } = await jobs.running({ webhook: webhookTo(host) });
    await settle({ status: 'failed', error });
    await jobs.database.jobs.retry(id);
    await jobs.claim(id);
    await settle({ status: 'succeeded', result: 1 }, 2);
    const told = (await take(host)).sort((a, b) => a.job.version - b.job.version);
    expect(told.map(({ job: { status, attempt } }) => [status, attempt])).toEqual([
      ['failed', 1],
      ['succeeded', 2],
    ]);
  });

  it('is not told by an attempt that lost the job', async () => {
    const host = newHost();
    const { id, dispatchId, settle } = await jobs.running({ webhook: webhookTo(host) });
    await jobs.claim(id, { dispatchId, count: 1 });
    expect(await settle({ status: 'failed', error }, 1)).toBeNull();
    expect(await log(id)).toEqual([]);
  });
});

describe('the webhooks of a job', () => {
  it('are none for a job without, and null for no job', async () => {
    expect(await jobs.database.webhooks.list(await jobs.dispatched())).toEqual([]);
    expect(await jobs.database.webhooks.list(randomUUID())).toBeNull();
  });

  it('go with it when it is deleted, but keep it from being pruned while they are pending', async () => {
    const host = newHost();
    const taken = await pending(host);
    await jobs.query(`update jobs set finished_at = now() - interval '9 days' where id = $1`, [taken.job.id]);
    await jobs.database.jobs.prune(1, 1_000);
    expect(await log(taken.job.id)).toHaveLength(1);
    await record(taken, { kind: 'delivered' });
    await jobs.database.jobs.prune(1, 1_000);
    expect(await jobs.database.webhooks.list(taken.job.id)).toBeNull();
    const other = await pending(host);
    await jobs.database.jobs.delete(other.job.id);
    expect(await jobs.database.webhooks.redeliver(other.id)).toBeNull();
  });
});

it('counts pending webhooks', async () => {
  const host = newHost();
  const before = await jobs.database.webhooks.countPending();
  await finished(webhookTo(host));
  expect((await jobs.database.webhooks.countPending()).pending).toBe(before.pending + 1);
});
