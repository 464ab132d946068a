import { describe, expect, it } from '@jest/globals';
import { jobs, newHost, webhookTo, taking, take, finished, pending } from './spec-webhooks.ts';

describe('taking webhooks', () => {
  it('gives each to one taker, and to another when that one is gone for the time of its lease', async () => {
    const host = newHost();
    await Promise.all(Array.from({ length: 20 }, () => finished(webhookTo(host))));
    const both = (await Promise.all([take(host, { limit: 15 }), take(host, { limit: 15 })])).flat();
    const rest = await take(host);
    const ids = [...both, ...rest].map(({ id }) => id);
    expect([ids.length, new Set(ids).size]).toEqual([20, 20]);
    const lost = await pending(host);
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

  it('goes from host to host, so that none waits for others that are pending more', async () => {
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
