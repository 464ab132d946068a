import { expect, it } from '@jest/globals';
import type { JobWithLinks } from '@offload/jobs/answers';
import type { FinalRow } from '../final-rows.ts';
import type { Watched } from './audience.ts';
import { judge } from './verdict.ts';

const row: FinalRow = { id: 'a', status: 'succeeded', version: 3, result: 1, error: null, finishedAt: 0 };
const job = { id: 'a', status: 'succeeded', version: 3, result: 1, error: null } as unknown as JobWithLinks;
const right: Watched = {
  ...{ jobId: 'a', versions: [1, 2, 3], job, event: 'job.succeeded', lastEventId: '3', endedAt: 1 },
  ...{ throughReconnect: false, closed: { how: 'ended' }, reconnects: 0 },
};

it('finds nothing wrong with a browser that ends as the row does', () => {
  expect(judge([right], [row])).toEqual([]);
  expect(judge([{ ...right, closed: { how: 'by the page' } }], [row])).toEqual([]);
});

const wrong: [what: RegExp, seen: Partial<Watched>][] = [
  [/^1 browsers still waiting: a /, { closed: undefined }],
  [/^1 browsers that were refused: a /, { closed: { how: 'refused', status: 503 } }],
  [/that ended without the final event/, { job: { ...job, status: 'running' } }],
  [/that ended without the final event/, { job: undefined, versions: [] }],
  [/with another final status/, { job: { ...job, status: 'failed' } }],
  [/with another final status/, { job: { ...job, version: 2 } }],
  [/with another final status/, { job: { ...job, result: 2 } }],
  [/with another final status/, { event: 'job.failed' }],
  [/with another final status/, { lastEventId: '2' }],
  [/whose versions did not grow/, { versions: [1, 3, 3] }],
  [/without a row/, { jobId: 'b' }],
];
it.each(wrong)('finds %s', (what, seen) => {
  expect(judge([{ ...right, ...seen }], [row])).toContainEqual(expect.stringMatching(what));
});

it('finds jobs that are not finished', () => {
  expect(judge([], [{ ...row, status: 'running' }])).toEqual(['1 jobs not finished: a (running)']);
});
