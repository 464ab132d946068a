import { describe, expect, it, jest } from '@jest/globals';
import { eventOf } from '@offload/jobs/events';
import { MINUTE_MS, jobOf, setup, followed, settle } from './spec-waiters.ts';

describe('a wait', () => {
  it.each(['succeeded', 'failed', 'cancelled'] as const)('ends with the job when that is %s', async (status) => {
    const { hear, watching } = setup();
    const wait = watching('a').wait(MINUTE_MS);
    hear(jobOf('a', status));
    expect(await wait).toEqual(jobOf('a', status));
  });

  it('goes on over events before the end, and over events of other jobs', async () => {
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

  it('finds an event that arrived since the watch, even when no time is left', async () => {
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

  it('finds an event that arrived after an earlier wait', async () => {
    const { hear, watching } = setup();
    const waiter = watching('a');
    const first = waiter.wait(1_000);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(await first).toBeNull();
    hear(jobOf('a', 'succeeded'));
    expect(await waiter.wait(1_000)).toEqual(jobOf('a', 'succeeded'));
  });

  it('gives way to a later wait of the same request', async () => {
    const { hear, watching } = setup();
    const waiter = watching('a');
    const waits = [waiter.wait(1_000), waiter.wait(MINUTE_MS)];
    await jest.advanceTimersByTimeAsync(2_000);
    hear(jobOf('a', 'succeeded'));
    expect(await Promise.all(waits)).toEqual([null, jobOf('a', 'succeeded')]);
  });

  it('does not end with an event from before a retry, even if it arrives late', async () => {
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

  it('is for the job that was watched last: a submission may find an earlier job', async () => {
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

  it('keeps an event when the same job is watched again', async () => {
    const { hear, watching } = setup();
    const waiter = watching('a');
    hear(jobOf('a', 'succeeded'));
    waiter.watch('a');
    expect(await waiter.wait(0)).toEqual(jobOf('a', 'succeeded'));
  });

  it('ends for every request that waits for the job, each for itself', async () => {
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

  it('forgets the request, in any order of its endings', async () => {
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
  it('has its own number of places, independent of other clients', () => {
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

  it('does not withhold an event that arrived in time', async () => {
    const { waiters, hear, watching } = setup();
    const waiter = watching('a');
    hear(jobOf('a', 'succeeded'));
    waiters.close();
    expect(await waiter.wait(MINUTE_MS)).toEqual(jobOf('a', 'succeeded'));
  });
});
