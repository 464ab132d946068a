import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@offload/spec-kit';
import request from 'supertest';
import { useApi } from './spec-api.ts';

const api = useApi();
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const realNow = Date.now;
afterEach(() => void jest.restoreAllMocks());

// Ids only grow within a process, so the clock that is behind comes first.
describe.each([
  ['behind', -HOUR_MS],
  ['ahead of', HOUR_MS],
])('an api whose clock is an hour %s that of the database', (_where, shiftMs) => {
  it('says how long to wait by the clock that makes jobs due', async () => {
    jest.spyOn(Date, 'now').mockImplementation(() => realNow() + shiftMs);
    const app = api.app();
    const sleep = { type: 'demo.sleep', payload: { seconds: 0 }, delayMs: 90_000 };
    await eventually(async () => {
      const { headers, body } = await request(app).post('/v1/jobs').send(sleep).expect(202);
      for (const path of [`/v1/jobs/${body.id}`, `/v1/jobs/${body.id}/result`]) {
        const seconds = Number((await request(app).get(path)).headers['retry-after']);
        expect(seconds).toBeGreaterThan(30);
        expect(seconds).toBeLessThanOrEqual(90);
      }
      expect(Number(headers['retry-after'])).toBeLessThanOrEqual(90);
    });
  });

  it('lists jobs by the time that they show', async () => {
    jest.spyOn(Date, 'now').mockImplementation(() => realNow() + shiftMs);
    const app = api.app();
    const tag = `clock ${shiftMs}`;
    const sleep = { type: 'demo.sleep', payload: { seconds: 0 }, tags: [tag] };
    const { body: job } = await request(app).post('/v1/jobs').send(sleep).expect(202);
    const createdAt = Date.parse(job.createdAt);
    const listed = async (window: object): Promise<unknown[]> => {
      const { body } = await request(app)
        .get('/v1/jobs')
        .query({ tag, ...window });
      return body.jobs.map(({ id }: { id: string }) => id);
    };
    const [before, after] = [createdAt - 1, createdAt + 1].map((ms) => new Date(ms).toISOString());
    expect(await listed({ createdAfter: before })).toEqual([job.id]);
    expect(await listed({ createdBefore: after })).toEqual([job.id]);
    expect(await listed({ createdAfter: before, createdBefore: after })).toEqual([job.id]);
    expect(await listed({ createdAfter: after })).toEqual([]);
    expect(await listed({ createdBefore: before })).toEqual([]);
  });
});
