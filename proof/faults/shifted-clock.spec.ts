import { execFileSync } from 'node:child_process';
import { expect, it } from '@jest/globals';
import { repository } from '@offload/running-system';

it('shifts the clock of a process and of nothing else, and leaves other dates alone', () => {
  const script = `console.log(JSON.stringify([Date.now(), +new Date(), Date.parse(Date()), +new Date(5), +new Date(2000, 0),
    new Date() instanceof Date, Date.UTC(1970, 0, 2), class extends Date {}.now()]))`;
  const options = {
    cwd: repository,
    env: {
      ...process.env,
      NODE_OPTIONS: '--import tsx --import ./proof/faults/shifted-clock.ts',
      CLOCK_SHIFT_MS: '-3600000',
    },
  };
  const values = JSON.parse(String(execFileSync(process.execPath, ['-e', script], options))) as number[];
  for (const now of values.slice(0, 3)) expect(Math.abs(Date.now() - 3_600_000 - now)).toBeLessThan(30_000);
  expect(values.slice(3, 7)).toEqual([5, new Date(2000, 0).getTime(), true, 86_400_000]);
  expect(Math.abs((values[7] ?? 0) - (values[0] ?? 0))).toBeLessThan(1_000);
});
