import { expect, it } from '@jest/globals';
import { answer, clientOf, cut, JOB_ID, problem, serve } from './spec-server.ts';

const made = { token: 'a.b.c', expiresAt: '2026-11-21T08:10:00.000Z', events: 'http://n/v1/events?token=a.b.c' };

it('gets a token for a page, and repeats the request when the answer is lost', async () => {
  const server = await serve(cut, answer(200, { ...made, more: 1 }), answer(200, made));
  const offload = clientOf(server, { apiKey: 'k' });
  expect(await offload.eventToken({ jobId: JOB_ID, seconds: 60 })).toEqual(made);
  expect(await offload.eventToken()).toEqual(made);
  const asked = server.received.map(({ method, path, headers, body }) => [method, path, headers.authorization, body]);
  const [path, key] = ['/v1/event-tokens', 'Bearer k'];
  expect(asked).toEqual([
    ...[1, 2].map(() => ['POST', path, key, { jobId: JOB_ID, seconds: 60 }]),
    ['POST', path, key, {}],
  ]);
});

it('rejects with the reason when the api makes no token', async () => {
  const server = await serve(problem(404, 'no-event-tokens'), answer(200, { token: 'a.b.c' }));
  await expect(clientOf(server).eventToken()).rejects.toMatchObject({ code: 'problem', slug: 'no-event-tokens' });
  await expect(clientOf(server).eventToken()).rejects.toMatchObject({ code: 'unexpected-answer' });
  await expect(clientOf(server).eventToken({ seconds: 3_601 })).rejects.toThrow('seconds: must be a whole number');
});
