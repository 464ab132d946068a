import { describe, expect, it } from '@jest/globals';
import type { Job } from '@offload/jobs';
import { eventually } from '@offload/spec-kit';
import { MINUTE_MS, jobOf, setup, followed } from './spec-waiters.ts';

describe('a refresh', () => {
  it('wakes the requests whose job is finished by now, and reads each job once', async () => {
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

  it('is seen by a wait that begins after it', async () => {
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

  it('wakes the other waiters when one job cannot be read, and gives that job up when its last waiter leaves', async () => {
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

  it('goes on after a row that was read before the job ended', async () => {
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

  it('does not ask the database when no request waits', async () => {
    const { waiters } = setup({ getJob: () => Promise.reject(new Error('asked')) });
    await waiters.refresh();
  });

  it('ends when the waiters are closed', async () => {
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
