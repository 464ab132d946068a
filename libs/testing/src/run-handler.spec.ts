import { expect, it } from '@jest/globals';
import { defineJob } from '@offload/jobs/definitions';
import { PermanentError, SnoozeError, type Handler } from '@offload/worker';
import { z } from 'zod';
import { fakeClock } from './fake-clock.ts';
import { runHandler } from './run-handler.ts';
import { definition, handler } from './spec-thumbnail.ts';

type Thumbnail = Handler<typeof definition>;
const payload = { path: 'a.png' };

/** A handler that ends only when its signal fires. */
const obedient: Thumbnail = (_payload, { signal }) =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));

it('passes the payload with its defaults, and returns result, progress and log', async () => {
  expect(await runHandler({ definition, handler }, payload, { jobId: 'job', attempt: 2 })).toEqual({
    status: 'succeeded',
    result: { path: 'a.png@100' },
    error: undefined,
    delayMs: undefined,
    progress: [{ percent: 100, message: 'half' }],
    log: [{ level: 'info', msg: 'scaling', width: 100, jobId: 'job', type: 'spec.thumbnail', attempt: 2 }],
  });
});

it('converts payload and result through JSON and their schemas, each transform once', async () => {
  const pay = defineJob({
    type: 'spec.pay',
    description: 'Pays.',
    payload: z.strictObject({ euros: z.number().transform((euros) => euros * 100) }),
    result: z.strictObject({ paidAt: z.iso.datetime().optional() }),
  });
  const cents: number[] = [];
  const run = await runHandler(
    {
      definition: pay,
      async handler({ euros }) {
        cents.push(euros);
        return { paidAt: undefined };
      },
    },
    { euros: 5 },
  );
  expect(cents).toEqual([500]);
  expect(Object.keys(run.result ?? { paidAt: 1 })).toEqual([]);
});

it('fails permanently on an invalid payload or result', async () => {
  const wrong = { path: 5 } as unknown as typeof payload;
  expect(await runHandler({ definition, handler }, wrong)).toMatchObject({
    status: 'failed',
    error: { code: 'invalid-payload' },
  });
  const elsewhere = (async () => ({ url: 'x' })) as unknown as Thumbnail;
  expect(await runHandler({ definition, handler: elsewhere }, payload)).toMatchObject({
    status: 'failed',
    error: { code: 'invalid-result' },
  });
});

it.each([
  [new PermanentError('no such file'), {}, 'failed', 'permanent'],
  [new Error('disk'), {}, 'scheduled', 'handler-error'],
  [new Error('disk'), { attempt: 3 }, 'failed', 'handler-error'],
  [new Error('disk'), { maxAttempts: 1 }, 'failed', 'handler-error'],
  [new SnoozeError(1_000), {}, 'scheduled', undefined],
])('returns the outcome when the handler throws %s, with %j', async (thrown, options, status, code) => {
  const run = await runHandler({ definition, handler: () => Promise.reject(thrown) }, payload, options);
  expect([run.status, run.error?.code]).toEqual([status, code]);
  if (thrown instanceof SnoozeError) expect(run.delayMs).toBe(1_000);
});

it('cancels a run, and stops a run like a shutdown', async () => {
  const [cancel, stop] = [new AbortController(), new AbortController()];
  const cancelled = runHandler({ definition, handler: obedient }, payload, { cancel: cancel.signal });
  const stopped = runHandler({ definition, handler: obedient }, payload, { stop: stop.signal });
  cancel.abort();
  stop.abort(new Error('deploying'));
  expect([(await cancelled).status, (await stopped).status]).toEqual(['cancelled', 'queued']);
});

it('does not run a job that was cancelled before', async () => {
  const run = await runHandler({ definition, handler }, payload, { cancel: AbortSignal.abort() });
  expect(run).toMatchObject({ status: 'cancelled', log: [] });
});

it('ends a run after the timeout of its job, by a clock that the test moves', async () => {
  const clock = fakeClock(new Date('2030-01-01'));
  const running = runHandler({ definition, handler: obedient }, payload);
  await clock.advance(4_999);
  expect(new Date().toISOString()).toBe('2030-01-01T00:00:04.999Z');
  await clock.advance(1);
  const run = await running;
  clock.restore();
  expect(run).toMatchObject({ status: 'scheduled', error: { code: 'timeout' } });
});

it('restores the real clock', () => {
  const { setTimeout: real } = globalThis;
  fakeClock().restore();
  expect(globalThis.setTimeout).toBe(real);
});

it('sends no HTTP without an outbound', async () => {
  const calling: Thumbnail = async (_payload, { outbound }) =>
    outbound.request({ url: 'http://example.com' }, () => ({ path: '' }));
  const run = await runHandler({ definition, handler: calling }, payload);
  expect(run.error?.message).toContain('http://example.com');
});
