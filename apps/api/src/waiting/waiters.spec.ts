import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { eventOf, type Job, type JobStatus } from '@offload/jobs';
import { createLogger, Registry } from '@offload/process';
import { eventually } from '@offload/testing';
import { createWaiters } from './waiters.ts';

const MINUTE_MS = 60_000;

/**
 * Time goes by only when a test says so, but for the pause before a refresh tries again, and for `eventually`. A worker
 * of Jest reports each test with nextTick(), which counted as a timer if it were faked.
 */
beforeEach(() => void jest.useFakeTimers({ doNotFake: ['performance', 'nextTick'] }));
afterEach(() => void jest.useRealTimers());

function jobOf(id: string, status: JobStatus, version = 3): Job {
  const at = '2026-11-21T18:00:00.000Z';
  const rest = { type: 'spec.job', queue: 'default', priority: 0, tags: [], payload: {}, result: null };
  const errors = { error: null, errors: [], progress: null, attempt: 1, maxAttempts: 5 };
  const times = { createdAt: at, dueAt: at, startedAt: at, finishedAt: null, durationMs: null };
  return { id, status, version, ...rest, ...errors, ...times };
}

function setup({ getJob = () => Promise.resolve(null), maxWaiters = 3_000 }: Partial<Parameters> = {}) {
  const warned: unknown[] = [];
  const log = createLogger('api', { level: 'silent', instance: 'spec' });
  log.warn = ((...line: unknown[]) => void warned.push(line)) as typeof log.warn;
  const metrics = new Registry();
  const waiters = createWaiters({ database: { jobs: { get: getJob } }, maxWaiters, retryMs: 1, metrics, log });
  return {
    waiters,
    warned,
    hear: (job: Job) => waiters.hear(eventOf(job)),
    /** A request that watches the job already. */
    watching(jobId: string, client = 'one') {
      const waiter = waiters.enter(client);
      waiter.watch(jobId);
      return waiter;
    },
    async open() {
      const [metric] = await metrics.getMetricsAsJSON();
      return [metric?.name, metric?.values[0]?.value];
    },
  };
}
type Parameters = { getJob(id: string): Promise<Job | null>; maxWaiters: number };

/** Whether a wait is over, and how. */
function followed(wait: Promise<Job | null>) {
  const state: { outcome: Job | 'null' | 'waiting' } = { outcome: 'waiting' };
  void wait.then((job) => (state.outcome = job ?? 'null'));
  return state;
}

/** Lets everything happen that can without time going by. */
const settle = () => jest.advanceTimersByTimeAsync(0);

describe('a wait', () => {
  it.each(['succeeded', 'failed', 'cancelled'] as const)('ends with the job when that is %s', async (status) => {
    const { hear, watching } = setup();
    const wait = watching('a').wait(MINUTE_MS);
    hear(jobOf('a', status));
    expect(await wait).toEqual(jobOf('a', status));
  });

  it('goes on over what happens before, and to other jobs', async () => {
    const { waiters, hear, watching } = setup();
    const wait = followed(watching('a').wait(MINUTE_MS));
    for (const status of ['scheduled', 'queued', 'running'] as const) hear(jobOf('a', status));
    waiters.hear(eventOf(jobOf('a', 'running', 4), 'job.progress'));
    hear(jobOf('b', 'succeeded'));
    await settle();
    expect(wait.outcome).toBe('waiting');
    hear(jobOf('a', 'succeeded', 5));
    await settle();
    expect(wait.outcome).toEqual(jobOf('a', 'succeeded', 5));
  });

  it('finds a finish that was heard since the watch, even when no time is left', async () => {
    const { hear, watching } = setup();
    const waiter = watching('a');
    hear(jobOf('a', 'succeeded'));
    expect(await waiter.wait(MINUTE_MS)).toEqual(jobOf('a', 'succeeded'));
    expect(await waiter.wait(0)).toEqual(jobOf('a', 'succeeded'));
  });

  it('ends with null when its time is over, not before', async () => {
    const { watching } = setup();
    const wait = followed(watching('a').wait(1_000));
    await jest.advanceTimersByTimeAsync(999);
    expect(wait.outcome).toBe('waiting');
    await jest.advanceTimersByTimeAsync(1);
    expect(wait.outcome).toBe('null');
  });

  it('ends at once when no time is left', async () => {
    const { watching } = setup();
    expect([await watching('a').wait(0), await watching('a').wait(-5)]).toEqual([null, null]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('finds what was heard after an earlier one', async () => {
    const { hear, watching } = setup();
    const waiter = watching('a');
    const first = waiter.wait(1_000);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(await first).toBeNull();
    hear(jobOf('a', 'succeeded'));
    expect(await waiter.wait(1_000)).toEqual(jobOf('a', 'succeeded'));
  });

  it('gives way to another one of the same request', async () => {
    const { hear, watching } = setup();
    const waiter = watching('a');
    const waits = [waiter.wait(1_000), waiter.wait(MINUTE_MS)];
    await jest.advanceTimersByTimeAsync(2_000);
    hear(jobOf('a', 'succeeded'));
    expect(await Promise.all(waits)).toEqual([null, jobOf('a', 'succeeded')]);
  });

  it('does not take the finish of before a retry for an answer, however late it is heard', async () => {
    const { hear, watching } = setup();
    const waiter = watching('a');
    hear(jobOf('a', 'failed', 2));
    const wait = followed(waiter.wait(MINUTE_MS, 6)); // the row says: queued again
    hear(jobOf('a', 'failed', 5));
    await settle();
    expect(wait.outcome).toBe('waiting');
    hear(jobOf('a', 'succeeded', 8));
    hear(jobOf('a', 'failed', 5));
    await settle();
    expect(wait.outcome).toEqual(jobOf('a', 'succeeded', 8));
    expect(await waiter.wait(0, 6)).toEqual(jobOf('a', 'succeeded', 8));
  });

  it('is for the job that was watched last: a submission may turn out to be of one that is there', async () => {
    const { waiters, hear, watching } = setup();
    const waiter = watching('new');
    hear(jobOf('new', 'succeeded'));
    waiter.watch('there');
    expect([waiters.wants('new'), waiters.wants('there')]).toEqual([false, true]);
    const wait = followed(waiter.wait(MINUTE_MS));
    hear(jobOf('new', 'succeeded'));
    await settle();
    expect(wait.outcome).toBe('waiting');
    hear(jobOf('there', 'succeeded'));
    await settle();
    expect(wait.outcome).toEqual(jobOf('there', 'succeeded'));
  });

  it('keeps what was heard when the same job is watched again', async () => {
    const { hear, watching } = setup();
    const waiter = watching('a');
    hear(jobOf('a', 'succeeded'));
    waiter.watch('a');
    expect(await waiter.wait(0)).toEqual(jobOf('a', 'succeeded'));
  });

  it('ends for everybody who waits for the job, each for itself', async () => {
    const { waiters, hear, watching } = setup();
    const [gone, late, ...rest] = Array.from({ length: 5 }, () => watching('a'));
    const before = [gone?.wait(MINUTE_MS), late?.wait(10)];
    const waits = rest.map((waiter) => waiter.wait(MINUTE_MS));
    gone?.leave();
    await jest.advanceTimersByTimeAsync(10);
    expect(waiters.wants('a')).toBe(true);
    hear(jobOf('a', 'succeeded'));
    expect(await Promise.all(before)).toEqual([null, null]);
    expect(await Promise.all(waits)).toEqual(Array(3).fill(jobOf('a', 'succeeded')));
  });
});

describe('leaving', () => {
  it('ends the wait with null, and is final', async () => {
    const { waiters, hear, watching } = setup();
    const waiter = watching('a');
    const wait = waiter.wait(MINUTE_MS);
    waiter.leave();
    expect(await wait).toBeNull();
    waiter.watch('a'); // the client has gone while its job was being created
    expect(waiters.wants('a')).toBe(false);
    hear(jobOf('a', 'succeeded'));
    expect(await waiter.wait(MINUTE_MS)).toBeNull();
  });

  it('forgets the request, in whatever order its ways end', async () => {
    const { waiters, hear, watching, open } = setup();
    const requests = ['a', 'a', 'b', 'c', 'd'].map((jobId) => watching(jobId));
    requests.push(waiters.enter('other'));
    const waits = requests.map((waiter, index) => waiter.wait(index === 3 ? 5 : MINUTE_MS));
    expect(await open()).toEqual(['offload_waiters', 6]);
    hear(jobOf('a', 'succeeded'));
    await jest.advanceTimersByTimeAsync(5);
    for (const waiter of [...requests, ...requests]) waiter.leave();
    await Promise.all(waits);
    expect(['a', 'b', 'c', 'd'].map(waiters.wants)).toEqual([false, false, false, false]);
    expect(await open()).toEqual(['offload_waiters', 0]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('leaves nothing behind after thousands at once', async () => {
    const { waiters, hear, open } = setup();
    const requests = Array.from({ length: 2_000 }, (_, index) => {
      const waiter = waiters.enter(`client ${index % 7}`);
      waiter.watch(`job ${index}`);
      return { waiter, wait: waiter.wait(MINUTE_MS) };
    });
    expect(jest.getTimerCount()).toBe(2_000);
    for (let index = 0; index < 2_000; index += 2) hear(jobOf(`job ${index}`, 'succeeded'));
    await jest.advanceTimersByTimeAsync(MINUTE_MS);
    const outcomes = await Promise.all(requests.map(({ wait }) => wait));
    expect(outcomes.map((job) => job?.id)).toEqual(
      outcomes.map((_, index) => (index % 2 === 0 ? `job ${index}` : undefined)),
    );
    for (const { waiter } of requests) waiter.leave();
    expect(outcomes.some((_, index) => waiters.wants(`job ${index}`))).toBe(false);
    expect(await open()).toEqual(['offload_waiters', 0]);
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe('a client', () => {
  it('has so many places and no more, whatever the others have', () => {
    const { waiters } = setup({ maxWaiters: 2 });
    const [first] = [waiters.enter('one'), waiters.enter('one')];
    const refused = expect.objectContaining({ status: 429, slug: 'too-many-waiters', headers: { 'Retry-After': '1' } });
    expect(() => waiters.enter('one')).toThrow(refused);
    waiters.enter('other');
    first.leave();
    first.leave(); // frees one place only
    waiters.enter('one');
    expect(() => waiters.enter('one')).toThrow(refused);
  });

  it('may have none', () => {
    const { waiters } = setup({ maxWaiters: 0 });
    expect(() => waiters.enter('one')).toThrow('0 requests');
  });
});

describe('a refresh', () => {
  it('wakes those whose job is finished by now, and reads each job once', async () => {
    const read: string[] = [];
    const rows = new Map([jobOf('a', 'succeeded'), jobOf('b', 'running')].map((job) => [job.id, job]));
    const { waiters, watching } = setup({
      async getJob(id) {
        read.push(id);
        return rows.get(id) ?? null;
      },
    });
    const waits = ['a', 'a', 'b', 'not yet created'].map((jobId) => followed(watching(jobId).wait(MINUTE_MS)));
    await waiters.refresh();
    expect(waits.map(({ outcome }) => outcome)).toEqual([rows.get('a'), rows.get('a'), 'waiting', 'waiting']);
    expect(read).toEqual(['a', 'b', 'not yet created']);
  });

  it('is found by a wait that begins after it', async () => {
    const { waiters, watching } = setup({ getJob: async (id) => jobOf(id, 'failed') });
    const waiter = watching('a');
    await waiters.refresh();
    expect(await waiter.wait(0)).toEqual(jobOf('a', 'failed'));
  });

  it('reads a few jobs at a time', async () => {
    let [now, most] = [0, 0];
    const { waiters, watching } = setup({
      async getJob(id) {
        most = Math.max(most, (now += 1));
        await Promise.resolve();
        now -= 1;
        return jobOf(id, 'succeeded');
      },
    });
    const waits = Array.from({ length: 95 }, (_, index) => watching(`job ${index}`).wait(MINUTE_MS));
    await waiters.refresh();
    expect((await Promise.all(waits)).every((job) => job?.status === 'succeeded')).toBe(true);
    expect(most).toBe(10);
  });

  it('tries again until the database answers, and says once that it does not', async () => {
    let tries = 0;
    const { waiters, warned, watching } = setup({
      async getJob(id) {
        if ((tries += 1) < 5) throw new Error('away');
        return jobOf(id, 'succeeded');
      },
    });
    const wait = watching('a').wait(MINUTE_MS);
    await waiters.refresh();
    expect(await wait).toEqual(jobOf('a', 'succeeded'));
    expect(warned).toEqual([[{ err: new Error('away') }, expect.stringContaining('trying again')]]);
  });

  it('wakes the others when one job alone cannot be read, and gives up when nobody waits for that one', async () => {
    const { waiters, watching } = setup({
      async getJob(id) {
        if (id === 'odd') throw new Error('no such column');
        return jobOf(id, 'succeeded');
      },
    });
    const odd = watching('odd');
    const waits = Array.from({ length: 25 }, (_, index) => watching(`job ${index}`).wait(MINUTE_MS));
    const refreshed = waiters.refresh();
    await Promise.all(waits);
    odd.leave();
    await refreshed;
  });

  it('does not take an answer that may be of before for the end of another one', async () => {
    const rows: Job[] = [jobOf('a', 'running')];
    const answers: (() => void)[] = [];
    const { waiters, watching } = setup({
      async getJob(id) {
        if (id !== 'a') return null;
        const row = rows.at(-1) ?? null;
        await new Promise<void>((resolve) => answers.push(resolve));
        return row;
      },
    });
    const wait = watching('a').wait(MINUTE_MS);
    for (let others = 0; others < 20; others += 1) watching(`job ${others}`); // read later
    const first = waiters.refresh();
    await eventually(() => expect(answers).toHaveLength(1));
    rows.push(jobOf('a', 'succeeded')); // and its event is lost with the connection
    const second = waiters.refresh();
    answers[0]?.();
    await eventually(() => expect(answers).toHaveLength(2));
    answers[1]?.();
    await Promise.all([first, second]);
    expect(await wait).toEqual(jobOf('a', 'succeeded'));
  });

  it('asks nothing when nobody waits', async () => {
    const { waiters } = setup({ getJob: () => Promise.reject(new Error('asked')) });
    await waiters.refresh();
  });

  it('ends when nobody may wait any more', async () => {
    let tries = 0;
    const { waiters, watching } = setup({
      getJob() {
        tries += 1;
        return Promise.reject(new Error('away'));
      },
    });
    watching('a');
    const refreshed = waiters.refresh();
    await eventually(() => expect(tries).toBeGreaterThan(1));
    waiters.close();
    await refreshed;
  });
});

describe('closing', () => {
  it('ends every wait with null, and those to come', async () => {
    const { waiters, watching } = setup();
    const before = [watching('a'), watching('b'), waiters.enter('one')];
    const waits = before.map((waiter) => waiter.wait(MINUTE_MS));
    waiters.close();
    expect(await Promise.all(waits)).toEqual([null, null, null]);
    expect(await watching('a').wait(MINUTE_MS)).toBeNull();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('keeps no finish back that was heard in time', async () => {
    const { waiters, hear, watching } = setup();
    const waiter = watching('a');
    hear(jobOf('a', 'succeeded'));
    waiters.close();
    expect(await waiter.wait(MINUTE_MS)).toEqual(jobOf('a', 'succeeded'));
  });
});
