import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { useJobs } from './spec-jobs.ts';

const jobs = useJobs();
const error = { code: 'permanent', message: 'no luck', attempt: 1 };

describe('deleteJob', () => {
  it.each([
    ['succeeded', { status: 'succeeded', result: 1 }],
    ['failed', { status: 'failed', error }],
    ['cancelled', { status: 'cancelled' }],
  ] as const)('deletes a job that is %s', async (status, outcome) => {
    const { id, settle } = await jobs.running();
    expect(await settle(outcome)).toMatchObject({ status });
    expect(await jobs.database.jobs.delete(id)).toBe('deleted');
    expect(await jobs.database.jobs.get(id)).toBeNull();
    expect(await jobs.database.jobs.delete(id)).toBeNull();
  });

  it('deletes a dispatch message with it that the job does not need any more', async () => {
    const { id, settle } = await jobs.running();
    await settle({ status: 'queued' }); // given back: pending a dispatch message, should the old one be lost
    await jobs.claim(id, { count: 1 });
    await jobs.database.jobs.settle({ jobId: id, attempt: 2, outcome: { status: 'succeeded', result: 1 } });
    expect(await jobs.pending(id)).toBe(1);
    expect(await jobs.database.jobs.delete(id)).toBe('deleted');
    expect(await jobs.pending(id)).toBe(0);
  });

  it.each(['queued', 'scheduled', 'running'])(
    'refuses a job that is %s, and leaves its dispatch message',
    async (status) => {
      const { id } = await (status === 'running'
        ? jobs.running()
        : jobs.create({ delayMs: status === 'scheduled' ? 60_000 : 0 }));
      const [job, pending] = [await jobs.read(id), await jobs.pending(id)];
      expect(job.status).toBe(status);
      expect(await jobs.database.jobs.delete(id)).toEqual({ kind: 'refused', job: { ...job, payload: null } });
      expect([await jobs.read(id), await jobs.pending(id)]).toEqual([job, pending]);
    },
  );

  it('knows of no job that is not there', async () => {
    expect(await jobs.database.jobs.delete(randomUUID())).toBeNull();
  });

  it('leaves its dispatch message to be refused, and its attempt nothing to write to', async () => {
    const { id, dispatchId, settle } = await jobs.running();
    await settle({ status: 'succeeded', result: 1 });
    await jobs.database.jobs.delete(id);
    expect(await jobs.claim(id, { dispatchId, count: 1 })).toEqual({ kind: 'refused', job: null });
    expect(await settle({ status: 'succeeded', result: 2 })).toBeNull();
  });

  it('leaves one of a deletion and a retry that meet as the winner', async () => {
    for (let round = 0; round < 25; round += 1) {
      const { id, settle } = await jobs.running();
      await settle({ status: 'failed', error });
      const [deletion, retry] = await Promise.all([jobs.database.jobs.delete(id), jobs.database.jobs.retry(id)]);
      const job = await jobs.database.jobs.get(id);
      if (deletion === 'deleted') expect([retry, job, await jobs.pending(id)]).toEqual([null, null, 0]);
      else expect([deletion?.kind, retry?.kind, job?.status]).toEqual(['refused', 'queued', 'queued']);
    }
  });
});
