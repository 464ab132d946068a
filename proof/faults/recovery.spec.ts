import { expect, it } from '@jest/globals';
import type { Change } from './audit.ts';
import { recoveries, type Records } from './recovery.ts';
import type { Run } from './runs.ts';

const run = (job: number, startedAt: number): Run => ({
  ...{ scenario: 'spec', job, startedAt, endedAt: startedAt + 10, answered: true },
});
const claim = (job: number, attempt: number, at: number): Change => ({
  ...{ jobId: `id-${job}`, from: 'queued', to: 'running', attempt, at, dueAt: 0 },
});
const success = (job: number, at: number): Change => ({ ...claim(job, 1, at), from: 'running', to: 'succeeded' });
const blow = (at: number, stranded: number[] = []) => ({ what: 'a fault', at, stranded });
const records = (runs: Run[], changes: Change[] = []): Records => ({
  ...{ runs, changes, jobOf: (id) => Number(id.slice(3)), endOfLoad: 500 },
});

it('tells how long each job that was running at a fault waited for its next run', () => {
  const runs = [run(1, 90), run(3, 95), run(2, 103), run(1, 130), run(2, 170)];
  const changes = [
    claim(1, 1, 89),
    claim(3, 1, 94),
    claim(2, 1, 99),
    success(3, 120),
    claim(1, 2, 128),
    claim(2, 2, 160.4),
  ];
  expect(recoveries([blow(100)], records(runs, changes))).toEqual([{ what: 'a fault', jobs: 2, ms: [30, 70] }]);
});

it('tells the same of jobs that were left stranded', () => {
  const found = recoveries([blow(100, [7, 8])], records([run(7, 150)]));
  expect(found).toEqual([{ what: 'a fault', jobs: 1, ms: [50] }]);
});

it('tells the longest pause between two starts where no job was concerned', () => {
  const runs = [run(1, 90), run(2, 140), run(3, 220), run(4, 260), run(5, 900)];
  expect(recoveries([blow(100)], records(runs))).toEqual([{ what: 'a fault', jobs: 0, ms: [80] }]);
  expect(recoveries([blow(100), blow(150)], records(runs)).map(({ ms }) => ms)).toEqual([[40], [70]]);
});
