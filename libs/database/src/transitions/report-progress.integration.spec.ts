import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { database } from '../spec-database.ts';
import { running, read } from './spec-settle-jobs.ts';

describe('reportProgress', () => {
  it('stores the progress of the attempt that holds the job', async () => {
    const { id } = await running();
    const reported = await database.jobs.reportProgress(id, 1, { percent: 12.5, message: 'über "1"' });
    const { payload, result, errors, ...told } = await read(id);
    expect([payload, result, errors]).toEqual([{}, null, []]);
    expect(JSON.parse(JSON.stringify(reported))).toEqual(told);
    expect(reported).toMatchObject({ version: 3, status: 'running', progress: { percent: 12.5, message: 'über "1"' } });
  });

  it('refuses an attempt that was taken over, a finished job and an unknown one', async () => {
    const { id, claim, settle } = await running();
    const progress = { percent: 50, message: null };
    await claim(true);
    expect(await database.jobs.reportProgress(id, 1, progress)).toBeNull();
    await settle({ status: 'succeeded', result: 1 }, 2);
    expect(await database.jobs.reportProgress(id, 2, progress)).toBeNull();
    expect(await database.jobs.reportProgress(randomUUID(), 1, progress)).toBeNull();
    expect((await read(id)).progress).toBeNull();
  });
});
