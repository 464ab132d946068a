import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Webhook, WebhookEvent } from '@offload/jobs';
import { useJobs } from '../transitions/spec-jobs.ts';
import type { WebhookEndpoint } from './register-endpoints.ts';
import type { RecordedAttempt } from './record-attempts.ts';
import type { TakenWebhook, Taking } from './take-webhooks.ts';

const jobs = useJobs();
const all: WebhookEvent[] = ['succeeded', 'failed', 'cancelled'];
const error = { code: 'handler-error', message: 'no', attempt: 1 };

/** Each test has a host of its own, since all share one table. */
const newHost = (): string => `${randomUUID()}.test`;
const webhookTo = (host: string, more: Partial<Webhook> = {}): Webhook => ({
  url: `https://${host}/hook`,
  events: all,
  ...more,
});

const taking = (more: Partial<Taking> = {}): Taking => ({
  limit: 100,
  maxBytes: 1_000_000,
  perHost: 100,
  room: new Map(),
  endpoints: [],
  jobsOwn: true,
  leaseMs: 60_000,
  ...more,
});

/** What is owed to this host; what is owed to others is left to their tests. */
async function take(host: string, more: Partial<Taking> = {}): Promise<TakenWebhook[]> {
  const room = new Map([[host, 100]]);
  return (await jobs.database.webhooks.take(taking({ perHost: 0, room, ...more }))).taken;
}

async function finished(webhook: Webhook, more = {}): Promise<string> {
  const { id, settle } = await jobs.running({ webhook, ...more });
  await settle({ status: 'succeeded', result: { ok: true } });
  return id;
}

async function owed(host: string): Promise<TakenWebhook> {
  await finished(webhookTo(host));
  return (await take(host))[0] as TakenWebhook;
}

function record({ id, attempt }: TakenWebhook, outcome: RecordedAttempt['outcome'], status = 204): Promise<void> {
  const entry = { durationMs: 12, status, error: outcome.kind === 'delivered' ? null : 'it answered so' };
  return jobs.database.webhooks.record({ id, attempt, entry, outcome });
}

const log = async (jobId: string) => (await jobs.database.webhooks.list(jobId)) ?? [];

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

  it('owes nothing for events that were not asked for, nor before the end', async () => {
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
        const id = await jobs.rung({ webhook });
        await jobs.database.jobs.cancel(id);
        await jobs.database.jobs.cancel(id);
        return id;
      },
    ],
    [
      'the loss of its last worker',
      'failed',
      async (webhook) => {
        const { id, ringId } = await jobs.running({ webhook, maxAttempts: 1 });
        await jobs.claim(id, { ringId, count: 1 });
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
    const owed = await take(host);
    expect(owed.map(({ event, job }) => [event, job.id, job.status])).toEqual([[event, id, event]]);
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
    const { id, ringId, settle } = await jobs.running({ webhook: webhookTo(host) });
    await jobs.claim(id, { ringId, count: 1 });
    expect(await settle({ status: 'failed', error }, 1)).toBeNull();
    expect(await log(id)).toEqual([]);
  });
});

describe('taking webhooks', () => {
  it('gives each to one taker, and to another when that one is gone for the time of its lease', async () => {
    const host = newHost();
    await Promise.all(Array.from({ length: 20 }, () => finished(webhookTo(host))));
    const both = (await Promise.all([take(host, { limit: 15 }), take(host, { limit: 15 })])).flat();
    const rest = await take(host);
    const ids = [...both, ...rest].map(({ id }) => id);
    expect([ids.length, new Set(ids).size]).toEqual([20, 20]);
    const lost = await owed(host);
    await jobs.query('update webhook_deliveries set due_at = now() where id = $1', [lost.id]);
    expect(await take(host)).toMatchObject([{ id: lost.id, attempt: 2, tries: 2 }]);
  });

  it('takes so many bytes of jobs at once, and one that alone has more', async () => {
    const host = newHost();
    for (let n = 0; n < 3; n += 1) await finished(webhookTo(host), { payload: 'x'.repeat(10_000) });
    expect(await take(host, { maxBytes: 1 })).toHaveLength(1);
    const [one, ...more] = await take(host, { maxBytes: 15_000 });
    expect([one && one.bytes > 10_000 && one.bytes < 11_000, more.length]).toEqual([true, 1]);
  });

  it('goes from host to host, so that none waits for others that are owed more', async () => {
    const hosts = ['a', 'b', 'c'].map((letter) => `${letter}.${newHost()}`);
    for (const host of hosts) for (let n = 0; n < 3; n += 1) await finished(webhookTo(host));
    const others = await jobs.query<{ host: string }>('select distinct host from webhook_deliveries');
    const room = new Map(others.filter(({ host }) => !hosts.includes(host)).map(({ host }) => [host, 0]));
    const asked: string[] = [];
    let after = '';
    while (asked.length < 6) {
      const { taken, next } = await jobs.database.webhooks.take(taking({ limit: 1, room, after }));
      asked.push(...taken.map(({ host }) => host));
      after = next;
    }
    expect(asked).toEqual([...hosts, ...hosts]);
  });

  it("leaves jobs' own webhooks to those who can sign them", async () => {
    const host = newHost();
    await finished(webhookTo(host));
    expect(await take(host, { jobsOwn: false })).toEqual([]);
    expect(await take(host)).toHaveLength(1);
  });

  it('takes so many of each host, the oldest first, and none of those without room', async () => {
    const [busy, full, free] = [newHost(), newHost(), newHost()];
    const made = new Map<string, string[]>();
    for (const host of [busy, full, free]) {
      const ids: string[] = [];
      for (let n = 0; n < 5; n += 1) ids.push(await finished(webhookTo(host)));
      made.set(host, ids);
    }
    const others = await jobs.query<{ host: string }>('select distinct host from webhook_deliveries');
    const room = new Map(others.map(({ host }) => [host, 0]));
    room.delete(free);
    const { taken } = await jobs.database.webhooks.take(taking({ perHost: 3, room: room.set(busy, 1).set(full, 0) }));
    const of = (host: string) => taken.filter((each) => each.host === host).map(({ job }) => job.id);
    expect([of(busy), of(full), of(free).sort()]).toEqual([
      made.get(busy)?.slice(0, 1),
      [],
      made.get(free)?.slice(0, 3).sort(),
    ]);
    expect(taken).toHaveLength(4);
  });
});

describe('what an attempt came to', () => {
  it('is kept in the log, and a failed one is due again after its delay', async () => {
    const host = newHost();
    const taken = await owed(host);
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
    const taken = await owed(host);
    await record(taken, { kind: 'retry', delayMs: 3_600_000 }, 503);
    expect(await take(host)).toEqual([]);
    const [{ nextAttemptAt = null } = {}] = await log(taken.job.id);
    expect(Math.abs(Date.parse(nextAttemptAt ?? '') - Date.now() - 3_600_000)).toBeLessThan(10_000);
  });

  it('that arrived counts, even when another has taken it since; that failed does not', async () => {
    const host = newHost();
    const late = await owed(host);
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
    const [first, second] = [await owed(host), await owed(host)];
    await jobs.database.webhooks.endReceiver(second);
    await record(second, { kind: 'failed' }, 410);
    expect(await log(first.job.id)).toMatchObject([{ status: 'failed', error: 'its receiver wants no more webhooks' }]);
    await record(first, { kind: 'delivered' });
    expect(await log(first.job.id)).toMatchObject([{ status: 'delivered', error: null }]);
  });

  it('keeps the last hundred', async () => {
    const host = newHost();
    const taken = await owed(host);
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
    const taken = await owed(host);
    await jobs.database.webhooks.release(taken);
    expect(await take(host)).toMatchObject([{ id: taken.id, attempt: 2, tries: 1 }]);
  });

  it('ends all that is owed to a receiver that wants no more', async () => {
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

describe('delivering again by hand', () => {
  it('owes it from the beginning, whatever became of it', async () => {
    const host = newHost();
    const taken = await owed(host);
    await record(taken, { kind: 'failed' }, 500);
    expect(await jobs.database.webhooks.redeliver(taken.id)).toMatchObject({ status: 'pending', endedAt: null });
    const [again] = await take(host);
    expect(again).toMatchObject({ id: taken.id, attempt: 2, tries: 1 });
    expect(again?.owedMs).toBeLessThan(5_000);
    expect(again?.job).toEqual(taken.job);
  });

  it('does not have it sent twice at once', async () => {
    const host = newHost();
    const taken = await owed(host);
    expect(await jobs.database.webhooks.redeliver(taken.id)).toMatchObject({ status: 'pending', nextAttemptAt: null });
    expect(await take(host)).toEqual([]);
    expect(await jobs.database.webhooks.redeliver(randomUUID())).toBeNull();
  });
});

describe('while it is being sent, delivering again by hand', () => {
  it('has it sent once more when that attempt fails, even if it was the last', async () => {
    const host = newHost();
    const taken = await owed(host);
    await jobs.database.webhooks.redeliver(taken.id);
    await record(taken, { kind: 'failed' }, 500);
    expect(await take(host)).toMatchObject([{ id: taken.id, attempt: 2, tries: 1 }]);
  });

  it('changes nothing when that attempt arrives', async () => {
    const host = newHost();
    const taken = await owed(host);
    await jobs.database.webhooks.redeliver(taken.id);
    await record(taken, { kind: 'delivered' });
    expect(await log(taken.job.id)).toMatchObject([{ status: 'delivered' }]);
  });

  it('leaves it every try when that attempt is given back', async () => {
    const host = newHost();
    const taken = await owed(host);
    await jobs.database.webhooks.redeliver(taken.id);
    await jobs.database.webhooks.release(taken);
    expect(await take(host)).toMatchObject([{ id: taken.id, tries: 1 }]);
  });
});

it('is given up when it has been owed for more than a day, also when nobody could send it', async () => {
  const host = newHost();
  const id = await finished(webhookTo(host));
  await jobs.query(`update webhook_deliveries set owed_at = now() - interval '24 hours' where job_id = $1`, [id]);
  await jobs.database.webhooks.expire();
  expect(await log(id)).toMatchObject([{ status: 'pending' }]);
  await jobs.query(`update webhook_deliveries set owed_at = now() - interval '26 hours' where job_id = $1`, [id]);
  await jobs.database.webhooks.expire();
  expect(await log(id)).toMatchObject([{ status: 'failed', error: 'it was owed for more than a day' }]);
});

describe('the webhooks of a job', () => {
  it('are none for a job without, and null for no job', async () => {
    expect(await jobs.database.webhooks.list(await jobs.rung())).toEqual([]);
    expect(await jobs.database.webhooks.list(randomUUID())).toBeNull();
  });

  it('go with it when it is deleted, but keep it from being pruned while they are owed', async () => {
    const host = newHost();
    const taken = await owed(host);
    await jobs.query(`update jobs set finished_at = now() - interval '9 days' where id = $1`, [taken.job.id]);
    await jobs.database.jobs.prune(1, 1_000);
    expect(await log(taken.job.id)).toHaveLength(1);
    await record(taken, { kind: 'delivered' });
    await jobs.database.jobs.prune(1, 1_000);
    expect(await jobs.database.webhooks.list(taken.job.id)).toBeNull();
    const other = await owed(host);
    await jobs.database.jobs.delete(other.job.id);
    expect(await jobs.database.webhooks.redeliver(other.id)).toBeNull();
  });
});

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

  it('are owed the jobs that match every filter of theirs', async () => {
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

  it('are removed when nobody has had them for an hour; what is owed to them is given up, and nothing else', async () => {
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

  it('are owed nothing from the moment on when they want no more, until they move or one arrives by hand', async () => {
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

it('counts what is owed', async () => {
  const host = newHost();
  const before = await jobs.database.webhooks.countOwed();
  await finished(webhookTo(host));
  expect((await jobs.database.webhooks.countOwed()).pending).toBe(before.pending + 1);
});
