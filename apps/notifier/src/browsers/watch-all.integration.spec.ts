import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@offload/spec-kit';
import { startNotifier, type SpecNotifier } from './spec-notifier.ts';

let notifier: SpecNotifier;
beforeAll(async () => void (notifier = await startNotifier()));
afterAll(() => notifier.stop());

describe('GET /v1/events', () => {
  it('sends the events of all jobs, or of those that match every filter', async () => {
    const { watch, queuedJob, publishEvent, run } = notifier;
    const all = await watch('/v1/events');
    const filtered = await watch(
      '/v1/events?tag=nightly&status=succeeded&type=spec.job&queue=default&token=read-before',
    );
    const [plain, tagged] = [await queuedJob(), await queuedJob(['nightly'])];
    for (const job of [plain, tagged]) await publishEvent(job);
    const { succeeded } = await run(tagged);
    await publishEvent(succeeded);
    await eventually(() => expect(all.events).toHaveLength(3));
    await eventually(() => expect(filtered.events).toHaveLength(1));
    expect(all.events.map(({ job: { id } }) => id)).toEqual([plain.id, tagged.id, tagged.id]);
    expect(filtered.events[0]).toMatchObject({ event: 'job.succeeded', job: { id: tagged.id } });
    await Promise.all([all.close(), filtered.close()]);
  });

  it('goes on when a job is finished', async () => {
    const { watch, queuedJob, publishEvent, run } = notifier;
    const all = await watch('/v1/events');
    const { succeeded } = await run(await queuedJob());
    for (let times = 0; times < 2; times += 1) await publishEvent(succeeded);
    await eventually(() => expect(all.events).toHaveLength(2));
    await all.close();
  });

  it.each(['colour=red', 'status=blue', 'tag=a&tag=b'])('refuses an unknown filter: %s', async (query) => {
    const response = await fetch(`${notifier.base}/v1/events?${query}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ errors: [{ parameter: query.split('=')[0] }] });
  });
});
