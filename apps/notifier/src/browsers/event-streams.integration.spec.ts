import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Job } from '@offload/jobs';
import { eventOf } from '@offload/jobs/events';
import { eventually } from '@offload/spec-kit';
import { startNotifier, type SpecNotifier } from './spec-notifier.ts';

const KIB = 1024;
const CUT = 'offload_watchers_cut_total';

/** Content of a large event, so that the buffers of the operating system do not hide a client that does not read. */
const large = { note: 'x'.repeat(512 * KIB) };

/** @returns a running job, with a function that publishes its next version */
async function versionsOf({ queuedJob, hub }: SpecNotifier): Promise<{ job: Job; publish(payload?: unknown): number }> {
  const job = await queuedJob();
  let version = 1;
  const publish = (payload: unknown = {}): number => {
    hub.publish(eventOf({ ...job, status: 'running', version: (version += 1), payload }, 'job.progress'));
    return version;
  };
  return { job, publish };
}

describe('a reader that does not read', () => {
  let notifier: SpecNotifier;
  beforeAll(
    async () => void (notifier = await startNotifier({ mostBehind: 256 * KIB, mostBehindTogether: 1024 ** 3 })),
  );
  afterAll(() => notifier.stop());

  it('is cut off when it is too far behind, without harm to others, and gets the current job when it reconnects', async () => {
    const { watch, stare, hub, figure, claim } = notifier;
    const { job, publish } = await versionsOf(notifier);
    const path = `/v1/jobs/${job.id}/events`;
    const reader = await watch(path);
    const idle = stare(path);
    await eventually(async () => expect(await figure('offload_watchers')).toBe(2));
    const before = await figure(CUT);
    let version = 1;
    while ((await figure(CUT)) === before) {
      version = publish(large);
      await eventually(() => expect(reader.events.at(-1)?.id).toBe(String(version)));
      expect(version).toBeLessThan(1_000); // 500 MiB in more than a second
    }
    await eventually(async () => expect(await figure('offload_watchers')).toBe(1));
    expect(await figure(CUT)).toBe(before + 1);
    idle.destroy();

    await claim(job);
    const back = await watch(path, { 'Last-Event-ID': '1' });
    await eventually(() => expect(back.events.map(({ event }) => event)).toEqual(['job.running']));
    await Promise.all([reader.close(), back.close()]);
    await eventually(() => expect(hub.watchedJobs()).toEqual([]));
  });
});

it('sends more in one turn of the event loop than a reader may be behind, if the client reads', async () => {
  const notifier = await startNotifier({ mostBehind: 64 * KIB });
  try {
    const { watch, figure } = notifier;
    const { job, publish } = await versionsOf(notifier);
    const [one, all] = [await watch(`/v1/jobs/${job.id}/events`), await watch('/v1/events')];
    await eventually(async () => expect(await figure('offload_watchers')).toBe(2));
    for (let event = 1; event <= 2_000; event += 1) publish({ note: 'x'.repeat(KIB) });
    await eventually(() => expect([one.events.at(-1)?.id, all.events.length]).toEqual(['2001', 2_000]));
    expect(await figure(CUT)).toBe(0);
    await Promise.all([one.close(), all.close()]);
  } finally {
    await notifier.stop();
  }
});

it('cuts off the clients that are furthest behind when all together leave too much unread', async () => {
  const notifier = await startNotifier({ mostBehind: 1024 ** 3, mostBehindTogether: 4 * 1024 * KIB });
  try {
    const { stare, figure } = notifier;
    const [busy, calm] = [await versionsOf(notifier), await versionsOf(notifier)];
    const [first, second] = [busy, calm].map(({ job }) => stare(`/v1/jobs/${job.id}/events`));
    await eventually(async () => expect(await figure('offload_watchers')).toBe(2));
    calm.publish();
    await eventually(async () => {
      busy.publish(large);
      expect(await figure(CUT)).toBe(1);
    });
    await eventually(() => expect(notifier.hub.watchedJobs()).toEqual([calm.job.id]));
    for (const socket of [first, second]) socket?.destroy();
  } finally {
    await notifier.stop();
  }
});

it('gives every stream a heartbeat, but not all at once', async () => {
  const notifier = await startNotifier({ heartbeatMs: 1_000 });
  try {
    const { job } = await versionsOf(notifier);
    const sockets = Array.from({ length: 40 }, () => notifier.stare(`/v1/jobs/${job.id}/events`));
    const beats = sockets.map(() => 0);
    const most: number[] = [];
    let [last, together] = [0, 0];
    sockets.forEach((socket, at) => {
      socket.resume().on('data', (chunk: Buffer) => {
        if (!/^:\n\n/m.test(chunk.toString())) return;
        beats[at] = (beats[at] ?? 0) + 1;
        const now = performance.now();
        together = now - last < 50 ? together + 1 : 1;
        last = now;
        most.push(together);
      });
    });
    await eventually(() => expect(Math.min(...beats)).toBeGreaterThanOrEqual(2), { timeoutMs: 20_000 });
    expect(Math.max(...beats) - Math.min(...beats)).toBeLessThanOrEqual(2);
    expect(Math.max(...most)).toBeLessThan(sockets.length);
    for (const socket of sockets) socket.destroy();
  } finally {
    await notifier.stop();
  }
});

describe('a notifier that stops', () => {
  it('sends all its browsers away, each with another time to reconnect', async () => {
    const notifier = await startNotifier();
    const { job } = await versionsOf(notifier);
    const paths = Array.from({ length: 20 }, (_, at) => (at % 2 ? '/v1/events' : `/v1/jobs/${job.id}/events`));
    const watched = await Promise.all(paths.map((path) => notifier.watch(path)));
    await eventually(async () => expect(await notifier.figure('offload_watchers')).toBe(20));
    await notifier.stop();
    await Promise.all(watched.map(({ ended }) => ended)); // no stream was cut
    const retries = watched.map((each) => each.retries.at(-1) ?? NaN);
    for (const { retries: both } of watched) expect(both).toHaveLength(2);
    expect(new Set(retries).size).toBeGreaterThan(10);
    expect(Math.min(...retries)).toBeGreaterThanOrEqual(500);
    expect(Math.max(...retries)).toBeLessThanOrEqual(5_000);
  });

  it('sends a late browser away', async () => {
    const notifier = await startNotifier();
    try {
      const { job } = await versionsOf(notifier);
      notifier.hub.close();
      for (const path of ['/v1/events', `/v1/jobs/${job.id}/events`]) {
        const { response, events, retries, ended } = await notifier.watch(path);
        await ended;
        expect([response.status, events, retries.length]).toEqual([200, [], 2]);
      }
      await eventually(() => expect(notifier.hub.watchedJobs()).toEqual([]));
    } finally {
      await notifier.stop();
    }
  });
});

it('survives a client that leaves while its job is being read', async () => {
  const notifier = await startNotifier();
  try {
    const { job } = await versionsOf(notifier);
    let reading: () => void = () => undefined;
    const isReading = new Promise<void>((resolve) => (reading = resolve));
    let answer: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (answer = resolve));
    notifier.seen.get = async (id) => {
      reading();
      await held;
      return notifier.database.jobs.get(id);
    };
    const socket = notifier.stare(`/v1/jobs/${job.id}/events`);
    await isReading;
    socket.destroy();
    await once(socket, 'close');
    answer();
    await eventually(() => expect(notifier.hub.watchedJobs()).toEqual([]));
  } finally {
    await notifier.stop();
  }
});

it('opens no more streams for a client than it may have, of one job or of all', async () => {
  const notifier = await startNotifier({ maxStreams: 2 });
  try {
    const { watch, queuedJob, base } = notifier;
    const path = `/v1/jobs/${(await queuedJob()).id}/events`;
    const [first] = [await watch(path), await watch('/v1/events')];
    for (const more of [path, '/v1/events']) {
      const refused = await fetch(base + more);
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '5']);
      expect(await refused.json()).toMatchObject({ type: '/problems/too-many-streams' });
    }
    await first.close();
    await eventually(async () => {
      const again = await watch(path);
      await again.close();
      expect(again.response.status).toBe(200);
    });
  } finally {
    await notifier.stop();
  }
});

it('sends no more large jobs at once than its budget allows: browsers reconnect, others get 503', async () => {
  const notifier = await startNotifier({ maxBytesInFlight: 24 * KIB * KIB, mostBehind: KIB ** 3 });
  try {
    const { watch, stare, queuedJob, run, base, figure } = notifier;
    const job = await queuedJob();
    await run(job, 'x'.repeat(16 * KIB * KIB)); // more than the operating system buffers for a client that does not read
    const path = `/v1/jobs/${job.id}/events`;
    const reader = stare(path);
    await eventually(async () => expect(await figure('http_bytes_in_flight')).toBeGreaterThan(KIB));
    const browser = await watch(path, { accept: 'text/event-stream' });
    await browser.ended;
    expect([browser.response.status, browser.events, browser.retries.length]).toEqual([200, [], 2]);
    const other = await fetch(base + path, { headers: { accept: 'application/json' } });
    expect([other.status, other.headers.get('retry-after')]).toEqual([503, '1']);
    reader.destroy();
    await eventually(async () => {
      const again = await fetch(base + path);
      expect(await again.text()).toContain('event: job.succeeded');
    });
  } finally {
    await notifier.stop();
  }
});

it('does not count a large job for a stream that does not get it', async () => {
  const notifier = await startNotifier({ maxBytesInFlight: 24 * KIB * KIB, mostBehind: KIB ** 3 });
  try {
    const { watch, stare, queuedJob, database, seen, figure } = notifier;
    const job = await queuedJob();
    const payload = 'x'.repeat(16 * KIB * KIB);
    seen.get = async (id) => ({ ...((await database.jobs.get(id)) as typeof job), payload });
    const path = `/v1/jobs/${job.id}/events`;
    const reader = stare(path);
    await eventually(async () => expect(await figure('http_bytes_in_flight')).toBeGreaterThan(KIB));
    const counted = await figure('http_bytes_in_flight');
    const { response, close } = await watch(path, { 'Last-Event-ID': String(job.version) });
    expect([response.status, await figure('http_bytes_in_flight')]).toEqual([200, counted]);
    await close();
    reader.destroy();
  } finally {
    await notifier.stop();
  }
});
