import { expect, it } from '@jest/globals';
import { jsonWithLinks, withLinks } from './answers.ts';
import type { Job } from '../job/job.ts';
import { SerializedJob } from '../job/serialized-job.ts';

const at = '2026-11-21T08:00:00.000Z';
const job: Job = {
  ...{ id: '019ac5f8-9f4c-7a3e-8d27-3f1f6f0f7c55', type: 'demo.echo', queue: 'default', status: 'succeeded' },
  ...{
    priority: 0,
    tags: ['a"'],
    payload: { text: '}\u2028ü' },
    result: ['}'],
    error: null,
    errors: [],
    progress: null,
  },
  ...{ attempt: 1, maxAttempts: 5, version: 3, createdAt: at, dueAt: at, startedAt: at, finishedAt: at, durationMs: 0 },
};

it('writes the JSON of a job with its links', () => {
  const base = 'https://events.example/"quoted"';
  expect(JSON.parse(jsonWithLinks(new SerializedJob(job), base))).toEqual(withLinks(job, base));
});
