import { expect, it } from '@jest/globals';
import type { JobProgress } from '@offload/jobs';
import { eventually } from '@offload/spec-kit';
import { reportProgressTo } from './progress.ts';

function setup(everyMs?: number) {
  const written: JobProgress[] = [];
  let release: () => void = () => undefined;
  const reporter = reportProgressTo((progress) => {
    written.push(progress);
    return new Promise((resolve) => (release = resolve));
  }, everyMs);
  return { written, reporter, release: () => release() };
}

it('writes one call at a time, and only the latest of the calls meanwhile', async () => {
  const { written, reporter, release } = setup();
  for (const percent of [1, 2, 3]) reporter.progress(percent, `${percent} %`);
  expect(written).toEqual([{ percent: 1, message: '1 %' }]);
  const stopped = reporter.stop();
  release();
  await Promise.resolve();
  expect(written).toEqual([
    { percent: 1, message: '1 %' },
    { percent: 3, message: '3 %' },
  ]);
  release();
  await stopped;
});

it('writes no more often than it may, and in the end the latest', async () => {
  const { written, reporter, release } = setup(60_000);
  for (let percent = 0; percent < 100; percent += 1) {
    reporter.progress(percent);
    release();
    await Promise.resolve();
  }
  expect(written.map(({ percent }) => percent)).toEqual([0]);
  const stopped = reporter.stop();
  release();
  await stopped;
  expect(written.map(({ percent }) => percent)).toEqual([0, 99]);
});

it('writes a waiting call when it is due, without another call', async () => {
  const { written, reporter, release } = setup(5);
  reporter.progress(1);
  reporter.progress(2);
  await eventually(() => {
    release();
    expect(written).toHaveLength(2);
  });
  expect(written[1]?.percent).toBe(2);
});

it('ignores calls after it was stopped', async () => {
  const { written, reporter } = setup();
  await reporter.stop();
  reporter.progress(50);
  expect(written).toEqual([]);
});

it('keeps the percentage in range and the message storable', async () => {
  const { written, reporter } = setup();
  reporter.progress(Number.NaN, 'a\0b\ud800');
  expect(written).toEqual([{ percent: 0, message: 'a\ufffdb\ufffd' }]);
  const other = setup();
  other.reporter.progress(250);
  expect(other.written).toEqual([{ percent: 100, message: null }]);
});

it.each<[what: string, message: unknown, shown: string | null]>([
  ['whose text throws', { toString: () => raise() }, 'something that can not be printed'],
  ['that has no text', Object.create(null), 'something that can not be printed'],
  ['whose text is none', { toString: () => ({}), valueOf: () => ({}) }, 'something that can not be printed'],
  ['that may not be looked at', new Proxy({}, { get: raise }), 'something that can not be printed'],
  ['that is a symbol', Symbol('half'), 'Symbol(half)'],
  ['that is null', null, null],
])('does not throw for a message %s', (_what, message, shown) => {
  const { written, reporter } = setup();
  reporter.progress(1, message as string);
  expect(written).toEqual([{ percent: 1, message: shown }]);
});

it.each<[what: string, percent: unknown]>([
  ['a symbol', Symbol('half')],
  ['a bigint', 50n],
  ['what throws as a number', { valueOf: () => raise() }],
])('takes %s as 0 percent', (_what, percent) => {
  const { written, reporter } = setup();
  reporter.progress(percent as number);
  expect(written).toEqual([{ percent: 0, message: null }]);
});

function raise(): never {
  throw new Error('spec');
}
