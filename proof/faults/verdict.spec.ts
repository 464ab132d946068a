import { describe, expect, it } from '@jest/globals';
import type { Change, JobRow } from './audit.ts';
import type { Run } from './runs.ts';
import { judge, type Evidence } from './verdict.ts';

const id = (job: number) => `id-${job}`;
const row = (job: number, more: Partial<JobRow> = {}): JobRow => ({
  ...{ id: id(job), job, status: 'succeeded', attempt: 1, maxAttempts: 10, errors: [], error: null },
  result: String(job),
  ...more,
});
const run = (job: number, startedAt = 10, answered = true): Run => ({
  ...{ scenario: 'spec', job, startedAt, endedAt: startedAt + 5, answered },
});
const change = (job: number, from: string | null, to: string): Change => ({
  ...{ jobId: id(job), from, to, attempt: 1, at: 10, dueAt: 10 },
});
const life = (job: number) => [
  change(job, null, 'queued'),
  change(job, 'queued', 'running'),
  change(job, 'running', 'succeeded'),
];
const acceptance = (job: number) => ({ job, id: id(job), api: 'http://api', at: 9, tookMs: 1 });

/** Jobs 1 and 2, both without a failure. */
function evidence(more: Partial<Evidence> = {}): Evidence {
  return {
    accepted: [1, 2].map(acceptance),
    jobs: [1, 2].map((job) => row(job)),
    changes: [1, 2].flatMap(life),
    runs: [1, 2].map((job) => run(job)),
    watched: new Map(),
    maxAttempts: 10,
    allowed: [],
    ...more,
  };
}

const failuresOf = (more: Partial<Evidence>) => judge(evidence(more)).failures.join('\n');

describe('judge', () => {
  it('finds no failure where every job was accepted, run and finished once', () => {
    expect(judge(evidence())).toEqual({
      ...{
        accepted: 2,
        keptUnheard: 0,
        finished: 2,
        lost: 0,
        stuck: 0,
        ranAgain: 0,
        triedAgain: {},
        watched: 0,
        failures: [],
      },
    });
  });

  it('counts a job that is stored without a 202, which must finish too', () => {
    expect(judge(evidence({ accepted: [acceptance(1)] }))).toMatchObject({ accepted: 1, keptUnheard: 1, failures: [] });
    const jobs = [row(1), row(2, { status: 'queued', attempt: 0, result: null })];
    expect(failuresOf({ accepted: [acceptance(1)], jobs, changes: life(1), runs: [run(1)] })).toContain(
      '1 stuck: {"id":"id-2"',
    );
  });

  it('names lost and stuck jobs', () => {
    const verdict = judge(evidence({ jobs: [row(1, { status: 'running', result: null })], runs: [run(1)] }));
    expect(verdict).toMatchObject({ lost: 1, stuck: 1, finished: 0 });
    expect(verdict.failures[0]).toBe('1 lost (202, but no row): id-2');
  });

  it('refuses a result of another job, two final statuses, and a final status that was left', () => {
    expect(failuresOf({ jobs: [row(1, { result: '2' }), row(2)] })).toContain('another result');
    const twice = [...life(1), ...life(2), change(2, 'running', 'failed')];
    expect(failuresOf({ changes: twice })).toContain('1 with other than one terminal state: id-2');
    const left = [...life(1), ...life(2), change(2, 'succeeded', 'running')];
    expect(failuresOf({ changes: left })).toContain('1 that left a final status: id-2');
  });

  it.each(['succeeded', 'queued'])('refuses an attempt that was %s by another worker while it ran', (to) => {
    const jobs = [row(1), row(2, { attempt: 2, maxAttempts: 11, errors: ['worker-lost'] })];
    const changes = [...life(1), ...life(2).slice(0, 2), { ...change(2, 'running', to), at: 100 }];
    const second = (endedAt: number | null) => ({ runs: [run(1), run(2), { ...run(2, 50), endedAt }] });
    const undercut = 'finished by another worker while it ran: {"id":"id-2"';
    expect(failuresOf({ jobs, changes, ...second(5_000) })).toContain(undercut);
    expect(failuresOf({ jobs, changes, ...second(null) })).toContain(undercut);
    expect(failuresOf({ jobs, changes, ...second(150) })).not.toContain(undercut);
  });

  it('refuses a job that failed, one without a complete run, and one that ran too early', () => {
    expect(failuresOf({ jobs: [row(1), row(2, { status: 'failed', error: 'timeout' })] })).toContain('not succeeded');
    expect(failuresOf({ runs: [run(1), run(2, 10, false)] })).toContain('without a complete run: id-2');
    expect(failuresOf({ runs: [run(1), run(2, 7)] })).toContain('before it was due: id-2');
  });

  it('refuses a watcher without the final status', () => {
    const heard = (status: string) => new Map([[id(2), status]]);
    expect(judge(evidence({ watched: heard('succeeded') }))).toMatchObject({ watched: 1, failures: [] });
    expect(failuresOf({ watched: heard('running') })).toBe(
      '1 whose watcher never received the final event: id-2 (running)',
    );
  });

  it.each([
    ['worker lost', { errors: ['worker-lost'] }],
    ['given back', { maxAttempts: 11 }],
    ['attempt failed', { errors: ['handler-error'] }],
    ['unexplained', {}],
  ] as const)('allows a second attempt only where its cause is allowed: %s', (cause, more) => {
    const again = {
      jobs: [row(1), row(2, { attempt: 2, ...more, errors: [...('errors' in more ? more.errors : [])] })],
    };
    const ran = { runs: [run(1), run(2, 10, false), run(2, 20)] };
    expect(judge(evidence({ ...again, ...ran }))).toMatchObject({ ranAgain: 1, triedAgain: { [cause]: 1 } });
    expect(failuresOf({ ...again, ...ran })).toContain(`1 tried again (${cause})`);
    expect(failuresOf({ ...again, ...ran, allowed: [cause] })).toBe('');
  });

  it('refuses two runs of one attempt', () => {
    expect(judge(evidence({ runs: [run(1), run(2), run(2, 20)] }))).toMatchObject({ triedAgain: { unexplained: 1 } });
  });
});
