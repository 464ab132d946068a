import { describe, expect, it } from '@jest/globals';
import { jobDefinitions } from '@offload/jobs/job-types';
import { answer, clientOf, cut, job, JOB_ID, problem, serve, succeeded } from './spec-server.ts';

const { csvProfile, demoSleep } = jobDefinitions;

it('sends no request until a call', async () => {
  const server = await serve();
  expect(clientOf(server).job(demoSleep, JOB_ID.toUpperCase())).toMatchObject({ id: JOB_ID, snapshot: undefined });
  expect(server.received).toEqual([]);
});

it.each(['', '..', 'seven', `${JOB_ID}/cancel`])('refuses %j as an id', async (id) => {
  const client = clientOf(await serve());
  expect(() => client.job(id)).toThrow(new TypeError('id: must be a UUID'));
  await expect(client.get(id)).rejects.toThrow(new TypeError('id: must be a UUID'));
});

it('rejects when the job is of another type than its definition', async () => {
  const handle = clientOf(await serve(answer(200, job()))).job(csvProfile, JOB_ID);
  await expect(handle.refresh()).rejects.toThrow(new TypeError(`Job ${JOB_ID} is a demo.sleep, not a csv.profile`));
  expect(handle.snapshot).toBeUndefined();
});

describe('refresh', () => {
  it('sends the ETag of the last answer, and keeps the snapshot when the job has not changed', async () => {
    const server = await serve(answer(200, job(), { etag: 'W/"1"' }), answer(304), answer(200, succeeded()));
    const handle = await clientOf(server).get(JOB_ID);
    expect(await handle.refresh()).toEqual(job());
    expect(await handle.refresh()).toEqual(succeeded());
    expect(handle.snapshot).toEqual(succeeded());
    expect(server.received.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, 'W/"1"', 'W/"1"']);
  });

  it('never goes back to an older version', async () => {
    const handle = await clientOf(await serve(answer(200, succeeded()), answer(200, job()))).get(JOB_ID);
    expect(await handle.refresh()).toEqual(succeeded());
  });
});

describe('cancel', () => {
  const cancelled = job({ status: 'cancelled', version: 2 });

  it('resolves with the cancelled job, also after a repeated request', async () => {
    const server = await serve(cut, answer(200, cancelled));
    const handle = clientOf(server).job(JOB_ID);
    expect(await handle.cancel()).toEqual(cancelled);
    expect(handle.snapshot).toEqual(cancelled);
    expect(server.received[1]).toMatchObject({ method: 'POST', path: `/v1/jobs/${JOB_ID}/cancel`, body: undefined });
  });

  it('resolves with the running job when its worker has to cancel it', async () => {
    const handle = clientOf(await serve(answer(202, job({ status: 'running', version: 2 })))).job(JOB_ID);
    expect(await handle.cancel()).toMatchObject({ status: 'running' });
  });

  it('rejects when the job is finished, also by an earlier attempt whose answer was lost', async () => {
    const server = await serve(cut, problem(409, 'job-finished'));
    await expect(clientOf(server).job(JOB_ID).cancel()).rejects.toMatchObject({ status: 409, slug: 'job-finished' });
  });
});

describe('retry', () => {
  it('resolves with the job, which is not finished any more', async () => {
    const failed = job({ status: 'failed', version: 5 });
    const again = job({ version: 6 });
    const server = await serve(answer(200, failed), problem(429, 'rate-limited'), answer(202, again));
    const handle = await clientOf(server).get(JOB_ID);
    expect(await handle.retry()).toEqual(again);
    expect(handle.snapshot).toEqual(again);
    expect(server.received[2]).toMatchObject({ method: 'POST', path: `/v1/jobs/${JOB_ID}/retry` });
  });

  it.each([
    ['a lost answer', cut, 'UnreachableError'],
    ['502', answer(502), 'UnexpectedAnswerError'],
    ['503', problem(503, 'database-unavailable'), 'OffloadProblem'],
  ])('is not repeated after %s: the job may be running again', async (_what, step, name) => {
    const server = await serve(step, answer(202, job()));
    await expect(clientOf(server).job(JOB_ID).retry()).rejects.toMatchObject({ name });
    expect(server.received).toHaveLength(1);
  });
});

describe('delete', () => {
  it('resolves when the job is deleted', async () => {
    const server = await serve(answer(204));
    await clientOf(server).job(JOB_ID).delete();
    expect(server.received).toMatchObject([{ method: 'DELETE', path: `/v1/jobs/${JOB_ID}` }]);
  });

  it('resolves when a repeated request finds the job deleted', async () => {
    await clientOf(await serve(cut, problem(404, 'job-not-found'))).job(JOB_ID).delete(); // prettier-ignore
  });

  it('rejects when there is no such job, or it is not finished', async () => {
    const client = clientOf(await serve(problem(404, 'job-not-found'), problem(409, 'job-not-finished')));
    await expect(client.job(JOB_ID).delete()).rejects.toMatchObject({ slug: 'job-not-found' });
    await expect(client.job(JOB_ID).delete()).rejects.toMatchObject({ slug: 'job-not-finished' });
  });
});
