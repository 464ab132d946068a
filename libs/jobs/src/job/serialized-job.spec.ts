import { expect, it } from '@jest/globals';
import type { Job } from './job.ts';
import { SerializedJob } from './serialized-job.ts';

const at = '2026-11-21T08:00:00.000Z';
const job: Job = {
  ...{ id: '019ac5f8-9f4c-7a3e-8d27-3f1f6f0f7c55', type: 'demo.sleep', queue: 'default', status: 'running' },
  ...{ priority: 0, tags: ['"}'], payload: { a: '"}\u2028', b: [1, null] }, result: null, error: null, errors: [] },
  ...{ progress: null, attempt: 1, maxAttempts: 5, version: 2, createdAt: at, dueAt: at, startedAt: at },
  ...{ finishedAt: null, durationMs: null },
};
const payload = ' {"a": "\\u0022}\\u2028", "b":[1.0,null]}';

/** A value that counts how often it is written as JSON. */
function counted() {
  const value = { times: 0, toJSON: () => ((value.times += 1), 'written') };
  return value;
}

it('is the JSON of the job, with the given JSON of payload and result unchanged', () => {
  expect(JSON.parse(new SerializedJob(job).json)).toEqual(job);
  const { json } = new SerializedJob({ ...job, result: ['"', {}] }, payload, '["\\"",{}]');
  expect(JSON.parse(json)).toEqual({ ...job, result: ['"', {}] });
  expect(json).toContain(`"payload":${payload},"result":["\\"",{}]}`);
});

it('writes its JSON once, at the first read', () => {
  const large = counted();
  const serialized = new SerializedJob({ ...job, payload: large });
  expect(large.times).toBe(0);
  expect(serialized.json).toBe(serialized.json);
  expect(large.times).toBe(1);
});

it('reuses the JSON of its payload in the next state, and adds that of its result', () => {
  const result = counted();
  const next = new SerializedJob(job, payload).next({ ...job, status: 'succeeded', result }, '"at hand"');
  expect(next.json).toContain(`"payload":${payload},"result":"at hand"}`);
  expect(next.job.status).toBe('succeeded');
  expect(result.times).toBe(0);
});

it('writes another payload of the next state', () => {
  const next = new SerializedJob(job, payload).next({ ...job, payload: null });
  expect(JSON.parse(next.json)).toEqual({ ...job, payload: null });
});

it('is the same object where the job is the same', () => {
  const serialized = new SerializedJob(job);
  expect(serialized.next(job)).toBe(serialized);
});

it('omits payload and result in progress', () => {
  const { payload, result, errors, ...rest } = job;
  expect([payload, result, errors]).not.toContain(undefined);
  expect(JSON.parse(new SerializedJob({ ...rest } as Job).json)).toEqual(rest);
});

it('has a brief form without payload, result and errors', () => {
  const errors = [{ code: 'timeout', message: '', attempt: 1, at }];
  expect(new SerializedJob({ ...job, result: 1, errors }, payload).brief().job).toEqual({ ...job, payload: null });
});
