import { afterEach, describe, expect, it } from '@jest/globals';
import type { WebhookEndpoint } from './register-endpoints.ts';
import type { TakenWebhook } from './take-webhooks.ts';
import { jobs, all, newHost, webhookTo, take, finished, record, log } from './spec-webhooks.ts';

describe('configured endpoints', () => {
  const endpoint = (name: string, host: string, more: Partial<WebhookEndpoint> = {}): WebhookEndpoint => ({
    name,
    url: `https://${host}/all?secret=1`,
    events: all,
    types: [],
    queues: [],
    tags: [],
    ...more,
  });
  const register = (...endpoints: WebhookEndpoint[]) => jobs.database.webhooks.register(endpoints);
  const names = ['every', 'typed', 'queued', 'tagged', 'failures'];
  /** As if no notifier had had it in its list for so long. */
  const unseen = (name: string) =>
    jobs.query(`update webhook_endpoints set seen_at = now() - interval '61 minutes' where name = $1`, [name]);
  afterEach(async () => {
    await jobs.query('delete from webhook_endpoints');
    await jobs.query('delete from webhook_deliveries where endpoint is not null');
  });

  it('are pending the jobs that match every filter of theirs', async () => {
    const host = newHost();
    await register(
      endpoint('every', host),
      endpoint('typed', host, { types: ['demo.sleep', 'other'] }),
      endpoint('queued', host, { queues: ['mail'] }),
      endpoint('tagged', host, { tags: ['a', 'b'] }),
      endpoint('failures', host, { events: ['failed'] }),
    );
    const plain = await finished(undefined as never);
    const tagged = await finished(webhookTo(host), { type: 'mine', queue: 'mail', tags: ['b', 'c'] });
    const of = async (id: string) => (await log(id)).map(({ endpoint }) => endpoint);
    expect((await of(plain)).sort()).toEqual(['every', 'typed']);
    expect((await of(tagged)).sort()).toEqual(['every', 'queued', 'tagged', null].sort());
  });

  it('show where they are without what may be secret', async () => {
    const host = newHost();
    await register(endpoint('every', host));
    const id = await finished(undefined as never);
    expect(await log(id)).toMatchObject([{ url: `https://${host}`, endpoint: 'every' }]);
  });

  it('are sent to by those who know them, while others have other lists', async () => {
    const host = newHost();
    await register(endpoint('every', host));
    const id = await finished(undefined as never);
    await register(endpoint('failures', host, { events: ['failed'] }));
    await register();
    await jobs.database.webhooks.expire();
    expect(await take(host, { endpoints: ['failures'] })).toEqual([]);
    expect((await take(host, { endpoints: names })).map(({ job }) => job.id)).toEqual([id]);
  });

  it('are removed when no notifier has had them for an hour, and only their pending webhooks are given up', async () => {
    const host = newHost();
    await register(endpoint('every', host), endpoint('typed', host));
    const id = await finished(webhookTo(newHost()));
    await unseen('every');
    expect(await jobs.database.webhooks.expire()).toBe(1);
    const became = (await log(id)).map(({ endpoint, status, error }) => [endpoint, [status, error]] as const);
    expect(new Map(became)).toEqual(
      new Map([
        [null, ['pending', null]],
        ['typed', ['pending', null]],
        ['every', ['failed', 'no notifier has its endpoint any more']],
      ] as const),
    );
    expect((await log(await finished(undefined as never))).map((each) => each.endpoint)).toEqual(['typed']);
    const gone = (await log(id)).find((each) => each.endpoint === 'every');
    expect(await jobs.database.webhooks.redeliver(gone?.id ?? '')).toBe('endpoint-removed');
  });

  it('are followed when they move', async () => {
    const [old, moved] = [newHost(), newHost()];
    await register(endpoint('every', old));
    const id = await finished(undefined as never);
    await register(endpoint('every', moved));
    const [taken] = await take(moved, { endpoints: names });
    expect([taken?.job.id, taken?.url]).toEqual([id, `https://${moved}/all?secret=1`]);
    await record(taken as TakenWebhook, { kind: 'failed' }, 404);
    const again = newHost();
    await register(endpoint('every', again));
    await jobs.database.webhooks.redeliver(taken?.id ?? '');
    expect((await take(again, { endpoints: names })).map((each) => each.id)).toEqual([taken?.id]);
  });

  it('get no more webhooks after a 410, until they move or a redelivery arrives', async () => {
    const host = newHost();
    await register(endpoint('every', host));
    const first = await finished(undefined as never);
    const [taken] = await take(host, { endpoints: names });
    await jobs.database.webhooks.endReceiver(taken as TakenWebhook);
    await record(taken as TakenWebhook, { kind: 'failed' }, 410);
    await register(endpoint('every', host)); // a notifier starts
    expect(await log(await finished(undefined as never))).toEqual([]);
    await jobs.database.webhooks.redeliver((await log(first))[0]?.id ?? '');
    const [again] = await take(host, { endpoints: names });
    await record(again as TakenWebhook, { kind: 'delivered' });
    expect(await log(await finished(undefined as never))).toHaveLength(1);
  });

  it('can be registered by several at once', async () => {
    const host = newHost();
    await Promise.all(Array.from({ length: 5 }, () => register(endpoint('every', host))));
    expect(await log(await finished(undefined as never))).toHaveLength(1);
  });
});
