import { expect, it } from '@jest/globals';
import { jobDefinitions } from '@offload/jobs/job-types';
import { runHandler } from '@offload/testing';
import { demoEcho } from './demo.echo.ts';

it('gives back its message and the time of its call', async () => {
  const before = Date.now();
  const { result } = await runHandler({ definition: jobDefinitions.demoEcho, handler: demoEcho }, { message: 'hi' });
  expect(result).toEqual({ message: 'hi', calledAtMs: expect.any(Number) });
  // The two clocks may be set apart by less than a second while the process runs.
  expect(Math.abs((result?.calledAtMs ?? 0) - before)).toBeLessThan(5_000);
});
