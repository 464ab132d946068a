import { describe, expect, it } from '@jest/globals';
import { jobStatus, type Job } from '../job/job.ts';
import { eventName, eventNameOf, eventOf, jobEvent } from './job-event.ts';

const at = '2026-11-21T08:00:00.000Z';
const queued: Job = {
  ...{ id: '019ac5f8-9f4c-7a3e-8d27-3f1f6f0f7c55', type: 'demo.sleep', queue: 'default', status: 'queued' },
  ...{ priority: 0, tags: [], payload: { seconds: 10 }, result: null, error: null, errors: [], progress: null },
  ...{ attempt: 0, maxAttempts: 5, version: 1, createdAt: at, dueAt: at, startedAt: null, finishedAt: null },
  durationMs: null,
};
const ended: Job = { ...queued, status: 'failed', version: 7, finishedAt: '2026-11-21T08:00:10.000Z', durationMs: 10 };

describe('an event', () => {
  it('fits its own schema in every status, and as progress', () => {
    for (const status of jobStatus.options) {
      const event = eventOf({ ...queued, status });
      expect(jobEvent.schema.parse(JSON.parse(JSON.stringify(event)))).toEqual(event);
      expect(event.type).toBe(`offload.job.${status}`);
    }
    expect(eventOf(queued, 'job.progress').type).toBe('offload.job.progress');
  });

  it('of progress omits payload, result and errors, which may be large', () => {
    const { payload, result, errors, ...rest } = queued;
    expect([payload, result, errors]).not.toContain(undefined);
    const event = eventOf({ ...rest, status: 'running' } as Job, 'job.progress');
    const sent = JSON.parse(JSON.stringify(event));
    expect(sent).toEqual(event);
    expect(sent.data).not.toHaveProperty('payload');
    expect(jobEvent.schema.parse(sent)).toEqual(event);
  });

  it('has the same id when it is sent again, and another for another version or job', () => {
    const { id } = eventOf(queued);
    expect(eventOf({ ...queued }).id).toBe(id);
    const others = [
      { ...queued, version: 2 },
      { ...queued, version: 11 },
      { ...queued, id: '019ac5f8-9f4c-7a3e-8d27-3f1f6f0f7c56' },
    ];
    expect(new Set([id, ...others.map((job) => eventOf(job).id)]).size).toBe(others.length + 1);
  });

  it('has the time when the job was finished, even if it is sent late', () => {
    expect(eventOf(ended).time).toBe(ended.finishedAt);
    expect(Math.abs(Date.parse(eventOf(queued).time) - Date.now())).toBeLessThan(60_000);
  });

  it('has a name without the prefix of its type', () => {
    expect(eventNameOf(eventOf(ended))).toBe('job.failed');
    expect(eventNameOf(eventOf(queued, 'job.progress'))).toBe('job.progress');
  });

  it('is refused without a member that CloudEvents requires, or with an empty id', () => {
    const event = eventOf(queued);
    for (const attribute of ['specversion', 'id', 'source', 'type', 'data']) {
      expect([attribute, jobEvent.schema.safeParse({ ...event, [attribute]: undefined }).success]).toEqual([
        attribute,
        false,
      ]);
    }
    for (const wrong of [{ id: '' }, { specversion: '0.3' }, { type: 'offload.job.lost' }, { type: 'job.queued' }]) {
      expect([wrong, jobEvent.schema.safeParse({ ...event, ...wrong }).success]).toEqual([wrong, false]);
    }
  });

  it('is named after a status, or progress', () => {
    for (const name of ['job.running', 'job.progress']) expect(eventName.parse(name)).toBe(name);
    for (const name of ['job.lost', 'running', 'job.']) expect(eventName.safeParse(name).success).toBe(false);
  });

  it('may have unknown members', () => {
    const read = jobEvent.schema.parse({ ...eventOf(queued), traceparent: '00-1', data: { ...queued, more: 1 } });
    expect(read).not.toHaveProperty('traceparent');
    expect(read.data).toEqual(queued);
  });
});
