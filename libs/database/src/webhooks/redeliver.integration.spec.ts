import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { jobs, newHost, take, pending, record, log } from './spec-webhooks.ts';

describe('delivering again by hand', () => {
  it('owes a webhook again from its first try, although it was given up', async () => {
    const host = newHost();
    const taken = await pending(host);
    await record(taken, { kind: 'failed' }, 500);
    expect(await jobs.database.webhooks.redeliver(taken.id)).toMatchObject({ status: 'pending', endedAt: null });
    const [again] = await take(host);
    expect(again).toMatchObject({ id: taken.id, attempt: 2, tries: 1 });
    expect(again?.pendingMs).toBeLessThan(5_000);
    expect(again?.job).toEqual(taken.job);
  });

  it('does not have it sent twice at once', async () => {
    const host = newHost();
    const taken = await pending(host);
    expect(await jobs.database.webhooks.redeliver(taken.id)).toMatchObject({ status: 'pending', nextAttemptAt: null });
    expect(await take(host)).toEqual([]);
    expect(await jobs.database.webhooks.redeliver(randomUUID())).toBeNull();
  });
});

describe('while it is being sent, delivering again by hand', () => {
  it('has it sent once more when that attempt fails, even if it was the last', async () => {
    const host = newHost();
    const taken = await pending(host);
    await jobs.database.webhooks.redeliver(taken.id);
    await record(taken, { kind: 'failed' }, 500);
    expect(await take(host)).toMatchObject([{ id: taken.id, attempt: 2, tries: 1 }]);
  });

  it('changes nothing when that attempt arrives', async () => {
    const host = newHost();
    const taken = await pending(host);
    await jobs.database.webhooks.redeliver(taken.id);
    await record(taken, { kind: 'delivered' });
    expect(await log(taken.job.id)).toMatchObject([{ status: 'delivered' }]);
  });

  it('leaves it every try when that attempt is given back', async () => {
    const host = newHost();
    const taken = await pending(host);
    await jobs.database.webhooks.redeliver(taken.id);
    await jobs.database.webhooks.release(taken);
    expect(await take(host)).toMatchObject([{ id: taken.id, tries: 1 }]);
  });
});
