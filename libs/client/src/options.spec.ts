import { expect, it } from '@jest/globals';
import { createClient } from './client.ts';
import { answer, clientOf, job, JOB_ID, later, serve } from './spec-server.ts';

it.each([
  [{ baseUrl: 'localhost:3000' }, 'baseUrl: must begin with http: or https:'],
  [{ baseUrl: '/v1' }, 'baseUrl: must be an absolute URL'],
  [{ baseUrl: 'http://ann:secret@example.com' }, 'baseUrl: must not contain a user or password'],
  [{ baseUrl: 'http://example.com/?a=b' }, 'baseUrl: must end with its path'],
  [{ apiKey: '' }, 'apiKey: must be visible ASCII characters, at least one'],
  [{ apiKey: 'a\nb' }, 'apiKey: must be visible ASCII characters, at least one'],
  [{ maxAttempts: 0 }, 'maxAttempts: must be a whole number from 1 to 100'],
  [{ timeoutMs: 0 }, 'timeoutMs: must be from 1 to 2147483647 milliseconds'],
  [{ backoffMaxMs: NaN }, 'backoffMaxMs: must be from 0 to 2147483647 milliseconds'],
])('refuses %j and names the option', (options, message) => {
  expect(() => createClient({ baseUrl: 'http://127.0.0.1:3000', ...options })).toThrow(new TypeError(message));
});

it('uses the default for an undefined option', async () => {
  const server = await serve(answer(200, job()));
  const client = clientOf(server, { apiKey: undefined, maxAttempts: undefined, timeoutMs: undefined });
  await client.get(JOB_ID);
  expect(server.received[0]?.headers).not.toHaveProperty('authorization');
});

it('keeps the path of the base URL', async () => {
  const server = await serve(answer(200, job()));
  await createClient({ baseUrl: `${server.url}/offload` }).get(JOB_ID);
  expect(server.received[0]?.path).toBe(`/offload/v1/jobs/${JOB_ID}`);
});

it('calls the given fetch without a `this`', async () => {
  const asked: unknown[] = [];
  function fetch(this: unknown, ...[url]: Parameters<typeof globalThis.fetch>): Promise<Response> {
    asked.push(this, url);
    return Promise.resolve(Response.json(job()));
  }
  await createClient({ baseUrl: 'https://offload.example', fetch }).get(JOB_ID);
  expect(asked).toEqual([undefined, `https://offload.example/v1/jobs/${JOB_ID}`]);
});

it('adds the time of a held answer to timeoutMs, up to the longest timer', async () => {
  const server = await serve(later(20, answer(202, job())));
  const client = clientOf(server, { timeoutMs: 2 ** 31 - 1, maxAttempts: 1 });
  expect((await client.submit('demo.sleep', {}, { waitSeconds: 60 })).id).toBe(JOB_ID);
});
