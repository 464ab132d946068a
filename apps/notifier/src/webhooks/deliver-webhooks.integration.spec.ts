import { describe, expect, it } from '@jest/globals';
import { webhookBody } from '@offload/jobs/webhooks';
import { newWebhookSecret } from '@offload/access/secrets';
import { eventually } from '@offload/spec-kit';
import { Webhook } from 'standardwebhooks';
import { useDeliveries, type Received } from './spec-deliveries.ts';

const spec = useDeliveries();
const { notifier, receiver, finished, deliveryOf } = spec;

const verified = ({ body, headers }: Received, secret: string): unknown => new Webhook(secret).verify(body, headers);
const ended = (jobId: string, status: 'delivered' | 'failed') =>
  eventually(async () => {
    const delivery = await deliveryOf(jobId);
    expect(delivery.status).toBe(status);
    return delivery;
  });

describe('a webhook', () => {
  it('arrives signed, as a CloudEvent with the job', async () => {
    const { received, url } = await receiver();
    const id = await finished({ url }, { result: { text: 'naïve \u{1f600} \ud800' } });
    notifier();
    const delivery = await ended(id, 'delivered');
    expect(received).toHaveLength(1);
    const [one] = received as [Received];
    const body = webhookBody.parse(verified(one, spec.secret));
    expect(body).toMatchObject({ type: 'offload.job.succeeded', source: '/v1/jobs', subject: id, specversion: '1.0' });
    expect(body.time).toBe(body.data.finishedAt);
    expect(body.data).toMatchObject({ id, status: 'succeeded', result: { text: 'naïve \u{1f600} \ud800' } });
    expect(body.data.links.events).toBe(`http://notifier.test/v1/jobs/${id}/events`);
    expect(one.headers).toMatchObject({
      'content-type': 'application/cloudevents+json; charset=utf-8',
      'user-agent': expect.stringMatching(/^Offload\/\d/),
      'webhook-id': delivery.id,
      'content-length': String(Buffer.byteLength(one.body)),
    });
    expect(delivery.attempts).toMatchObject([{ number: 1, status: 204, error: null }]);
  });

  it('can be verified with each of two secrets, and no other', async () => {
    const { received, url } = await receiver();
    const [fresh, old] = [newWebhookSecret(), newWebhookSecret()];
    const id = await finished({ url });
    notifier({ secrets: [fresh, old] });
    await ended(id, 'delivered');
    const [one] = received as [Received];
    expect(verified(one, fresh)).toEqual(verified(one, old));
    expect(() => verified(one, spec.secret)).toThrow('No matching signature');
    expect(() => verified({ ...one, body: `${one.body} ` }, fresh)).toThrow('No matching signature');
  });

  it('has the same id and body at each attempt', async () => {
    const { received, url } = await receiver((response) =>
      response.writeHead(received.length < 3 ? 500 : 200).end('thanks'),
    );
    const id = await finished({ url });
    notifier();
    const { attempts } = await ended(id, 'delivered');
    expect(attempts.map(({ number, status, error }) => [number, status, error])).toEqual([
      [1, 500, 'it answered 500'],
      [2, 500, 'it answered 500'],
      [3, 200, null],
    ]);
    expect(new Set(received.map(({ id, body }) => id + body)).size).toBe(1);
    for (const each of received) verified(each, spec.secret);
  });

  it('is sent when the event of the job arrives, before the next poll', async () => {
    const { received, url } = await receiver();
    const { hear } = notifier();
    await finished({ url });
    await eventually(() => {
      hear('job.succeeded');
      expect(received).toHaveLength(1);
    });
  });

  it('is sent once by any number of notifiers', async () => {
    const { received, url } = await receiver();
    const ids = await Promise.all(Array.from({ length: 40 }, () => finished({ url })));
    for (let n = 0; n < 3; n += 1) notifier();
    for (const id of ids) await ended(id, 'delivered');
    expect(new Set(received.map(({ id }) => id)).size).toBe(40);
    expect(received).toHaveLength(40);
  });

  it('is left to other notifiers if this one has no secret', async () => {
    const { received, url } = await receiver();
    const { stop } = notifier({ secrets: [] });
    const id = await finished({ url });
    await eventually(async () => expect((await spec.database.webhooks.countPending()).pending).toBe(1));
    await stop();
    expect(received).toEqual([]);
    notifier();
    await ended(id, 'delivered');
  });
});

describe('the answer of a receiver', () => {
  it.each([301, 307, 400, 404, 429, 503])('with %d is tried again', async (status) => {
    const { received, url } = await receiver((response, { path }) =>
      response.writeHead(received.length === 1 ? status : 204, { location: `${path}/elsewhere` }).end(),
    );
    notifier();
    const { attempts } = await ended(await finished({ url }), 'delivered');
    expect(attempts.map((each) => each.status)).toEqual([status, 204]);
    expect(received.map(({ path }) => path)).toEqual(['/hook', '/hook']);
  });

  it('with 410 gives up this webhook and all others that are pending for the receiver', async () => {
    const { received, url } = await receiver((response, { path }) =>
      response.writeHead(path === '/hook' ? 410 : 204).end(),
    );
    const [first, elsewhere] = [await finished({ url }), await finished({ url: `${url}/else` })];
    notifier({ concurrencyPerHost: 1 });
    expect((await ended(first, 'failed')).attempts).toMatchObject([{ status: 410 }]);
    await ended(elsewhere, 'delivered');
    expect(received.filter(({ path }) => path === '/hook')).toHaveLength(1);
  });

  it('delays the next attempt by its Retry-After', async () => {
    const { url } = await receiver((response) => response.writeHead(503, { 'retry-after': '3600' }).end());
    notifier();
    const id = await finished({ url });
    const delivery = await eventually(async () => {
      const delivery = await deliveryOf(id);
      expect(delivery.attempts).toHaveLength(1);
      return delivery;
    });
    const wait = Date.parse(delivery.nextAttemptAt ?? '') - Date.now();
    expect([delivery.status, wait > 3_590_000 && wait <= 3_600_000]).toEqual(['pending', true]);
  });

  it('with its last failure ends it', async () => {
    const { received, url } = await receiver((response) => response.writeHead(500).end());
    notifier({ retrySeconds: [0, 0] });
    expect((await ended(await finished({ url }), 'failed')).attempts).toHaveLength(3);
    expect(received).toHaveLength(3);
  });

  it('delivers the webhook with 2xx, also if its body breaks off', async () => {
    const { url } = await receiver((response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('cut', () => response.destroy());
    });
    notifier();
    expect((await ended(await finished({ url }), 'delivered')).attempts).toHaveLength(1);
  });

  it('with a flood is not read to its end', async () => {
    const { url } = await receiver((response) => {
      response.writeHead(200);
      const flood = (): void => {
        while (response.write('x'.repeat(65_536)));
        if (!response.destroyed) response.once('drain', flood);
      };
      flood();
    });
    notifier();
    await ended(await finished({ url }), 'delivered');
  });
});

describe('a receiver that gives no answer', () => {
  it('gets the webhook again: refused, cut off, silent', async () => {
    const silent: string[] = [];
    const { received, url } = await receiver((response, { id }, { socket }) => {
      if (received.length === 1) socket.destroy();
      else if (received.length === 2) silent.push(id);
      else response.writeHead(204).end();
    });
    const gone = await receiver();
    await gone.close();
    notifier({ timeoutMs: 200 });
    const { attempts } = await ended(await finished({ url }), 'delivered');
    expect(attempts.map(({ status, error }) => [status, error])).toEqual([
      [null, expect.stringContaining('failed')],
      [null, expect.stringContaining('longer than 200 ms')],
      [204, null],
    ]);
    const refused = await finished({ url: gone.url });
    await eventually(async () => expect((await deliveryOf(refused)).attempts[0]?.error).toContain('ECONNREFUSED'));
  });

  it('delays no other', async () => {
    const held: (() => void)[] = [];
    const dead = await receiver((response) => void held.push(() => response.writeHead(204).end()));
    const alive = await receiver();
    const waiting = await Promise.all(Array.from({ length: 30 }, () => finished({ url: dead.url })));
    const others = await Promise.all(Array.from({ length: 30 }, () => finished({ url: alive.url })));
    notifier({ concurrency: 12, concurrencyPerHost: 10, timeoutMs: 60_000 });
    for (const id of others) await ended(id, 'delivered');
    await eventually(() => expect(held).toHaveLength(10)); // no more at once
    await eventually(() => {
      expect(held.length).toBeLessThanOrEqual(10);
      for (const answer of held.splice(0)) answer();
      expect(dead.received).toHaveLength(30);
    });
    for (const answer of held.splice(0)) answer();
    for (const id of waiting) await ended(id, 'delivered');
  });

  it('gets one probe at a time after ten failures, and all webhooks when it answers again', async () => {
    let well = false;
    const { received, url } = await receiver((response) => response.writeHead(well ? 204 : 503).end());
    const ids = await Promise.all(Array.from({ length: 30 }, () => finished({ url })));
    const { metrics } = notifier({ concurrencyPerHost: 1, retrySeconds: Array<number>(50).fill(0) });
    await eventually(async () => {
      const open = await metrics.getSingleMetric('offload_webhook_hosts_open')?.get();
      expect(open?.values[0]?.value).toBe(1);
    });
    expect(received.length).toBeLessThan(15); // ten, and a probe or two on a slow machine; without a circuit thirty
    well = true;
    for (const id of ids) await ended(id, 'delivered');
  });
});

it('pauses between polls, also when more hosts have later webhooks than one poll reads', async () => {
  const gone = await receiver();
  await gone.close();
  const hosts = Array.from({ length: 520 }, (_, n) => `http://127.${Math.floor(n / 250) + 1}.0.${(n % 250) + 1}:9/`);
  await Promise.all(hosts.map((url) => finished({ url })));
  const { webhooks } = spec.database;
  const begun: number[] = [];
  let sent = 0;
  const take: typeof webhooks.take = async (taking) => {
    if (taking.after === '' && sent === hosts.length) begun.push(performance.now());
    const take = await webhooks.take(taking);
    sent += take.taken.length;
    return take;
  };
  notifier({ webhooks: { ...webhooks, take }, retrySeconds: [3_600] });
  await eventually(() => expect(begun.length).toBeGreaterThan(4), { timeoutMs: 30_000 });
  const [, second = 0] = begun.slice(-3);
  expect((begun.at(-1) ?? 0) - second).toBeGreaterThan(900);
}, 60_000);

describe('a notifier that stops', () => {
  it('waits for answers, and returns webhooks without one', async () => {
    const answers: (() => void)[] = [];
    const { received, url } = await receiver((response) => void answers.push(() => response.writeHead(204).end()));
    const { stop } = notifier();
    const [first, second] = [await finished({ url }), await finished({ url })];
    await eventually(() => expect(received).toHaveLength(2));
    const answered = received[0]?.body.includes(first) ? first : second;
    answers.shift()?.();
    await ended(answered, 'delivered');
    await stop(0);
    const other = answered === first ? second : first;
    expect(await deliveryOf(other)).toMatchObject({
      status: 'pending',
      attempts: [],
      nextAttemptAt: expect.any(String),
    });
    notifier();
    await eventually(() => expect(received).toHaveLength(3));
    for (const answer of answers) answer();
    expect((await ended(other, 'delivered')).attempts).toMatchObject([{ number: 2 }]);
  });
});

describe('a configured endpoint', () => {
  it('gets the jobs that match, signed with its own secrets', async () => {
    const { received, url } = await receiver();
    const secrets = [newWebhookSecret()];
    const filter = { events: ['succeeded' as const], types: ['mine'], queues: [], tags: [] };
    notifier({ endpoints: [{ name: 'billing', url, secrets, ...filter }] });
    const ids = await eventually(async () => {
      const id = await finished(null, { type: 'mine' });
      expect((await deliveryOf(id)).endpoint).toBe('billing'); // the endpoint is registered now
      return [id, await finished(null, { type: 'another' })] as const;
    });
    await ended(ids[0], 'delivered');
    const [last] = received.slice(-1) as [Received];
    expect(verified(last, secrets[0] as string)).toMatchObject({ subject: ids[0] });
    expect(() => verified(last, spec.secret)).toThrow();
    expect(await spec.database.webhooks.list(ids[1])).toEqual([]);
  });
});

it('redelivers a failed webhook under the same id', async () => {
  const { received, url } = await receiver((response) => response.writeHead(received.length === 1 ? 410 : 204).end());
  notifier();
  const id = await finished({ url });
  const { id: webhookId } = await ended(id, 'failed');
  await spec.database.webhooks.redeliver(webhookId);
  await ended(id, 'delivered');
  expect(received.map((each) => each.id)).toEqual([webhookId, webhookId]);
});
