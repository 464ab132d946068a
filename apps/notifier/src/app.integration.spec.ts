import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { eventually } from '@offload/spec-kit';
import { startNotifier, type SpecNotifier } from './browsers/spec-notifier.ts';

let notifier: SpecNotifier;
beforeAll(async () => void (notifier = await startNotifier()));
afterAll(() => notifier.stop());

it('is ready while it listens', async () => {
  const ready = await eventually(async () => {
    const response = await fetch(`${notifier.base}/readyz`);
    expect(response.status).toBe(200);
    return response.json();
  });
  expect(ready).toEqual({ status: 'ready', checks: { database: 'ok', broker: 'ok' } });
});
