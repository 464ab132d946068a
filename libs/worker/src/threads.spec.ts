import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@offload/spec-kit';
import { gatedThreads } from './spec-gate.ts';

let threads: ReturnType<typeof gatedThreads>;
beforeEach(() => void (threads = gatedThreads()));
afterEach(() => threads.close());

const { signal } = new AbortController();

/** Whether it is settled after all that can be done without a thread is done. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void promise.finally(() => void (settled = true)).catch(() => undefined);
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
  return settled;
}

describe('a thread that is held', () => {
  it('is ready: its start is over', async () => {
    const holding = threads.hold();
    await eventually(() => expect(threads.come()).toBe(1));
    expect(await isSettled(holding)).toBe(false);
    threads.open();
    const release = await holding;
    threads.shut(); // the run needs no other
    expect(await threads.run('this', signal)).toBe('answer to this');
    release();
  });

  it('is one for each that holds, also for one that comes while another runs', async () => {
    threads.open();
    await threads.hold();
    const first = new AbortController();
    const running = threads.run('hang', first.signal);
    await threads.hold();
    threads.shut();
    expect(await threads.run('that', signal)).toBe('answer to that');
    expect(threads.come()).toBe(2);
    first.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
  });

  it.each(['abort', 'death'])('is started anew after its %s, before the next may run', async (end) => {
    threads.open();
    const over = new AbortController();
    const release = await threads.hold();
    threads.shut();
    const running = threads.run(end === 'abort' ? 'hang' : 'die', over.signal);
    if (end === 'abort') over.abort(new Error('dead'));
    await expect(running).rejects.toThrow('dead');
    release();
    const holding = threads.hold();
    await eventually(() => expect(threads.come()).toBe(2));
    expect(await isSettled(holding)).toBe(false);
    threads.open();
    await holding;
    expect(await threads.run('this', signal)).toBe('answer to this');
    expect(threads.come()).toBe(2);
  });

  it('serves the next, too', async () => {
    threads.open();
    for (const task of ['one', 'two', 'three']) {
      const release = await threads.hold();
      expect(await threads.run(task, signal)).toBe(`answer to ${task}`);
      release();
    }
    expect(threads.come()).toBe(1);
  });
});

it('starts a thread for a run that holds none', async () => {
  threads.open();
  expect(await threads.run('this', signal)).toBe('answer to this');
});

it('runs nothing for a signal that has fired', async () => {
  await expect(threads.run('this', AbortSignal.abort(new Error('over')))).rejects.toThrow('over');
  expect(threads.come()).toBe(0);
});

it('ends threads after a while if no run holds them, and keeps the others', async () => {
  await threads.close();
  threads = gatedThreads(0);
  threads.open();
  const releases = [await threads.hold(), await threads.hold()];
  releases[0]?.();
  await eventually(async () => {
    const release = await threads.hold();
    expect(threads.come()).toBe(3);
    release();
  });
});

it('rejects running tasks when it is closed, and starts new threads for later tasks', async () => {
  threads.open();
  await threads.hold();
  const running = threads.run('hang', signal);
  await Promise.all([expect(running).rejects.toThrow('the thread has ended'), threads.close()]);
  expect(await threads.run('this', signal)).toBe('answer to this');
});
