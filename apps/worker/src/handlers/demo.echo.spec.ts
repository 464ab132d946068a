import { expect, it } from '@jest/globals';
import { jobDefinitions } from '@offload/jobs/job-types';
import type { HandlerContext } from '@offload/worker';
import { demoEcho } from './demo.echo.ts';

it('gives back its message and the time of its call, in a result that fits', async () => {
  const before = Date.now();
  const result = await demoEcho({ message: 'hi' }, {} as HandlerContext);
  expect(jobDefinitions.demoEcho.result.parse(result)).toEqual({ message: 'hi', calledAtMs: expect.any(Number) });
  // The two clocks may be set apart by less than a second while the process runs.
  expect(Math.abs(result.calledAtMs - before)).toBeLessThan(5_000);
});
