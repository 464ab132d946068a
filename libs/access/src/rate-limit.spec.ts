import { expect, it } from '@jest/globals';
import { serve } from '@offload/http/spec-service';
import { authenticate } from './access.ts';
import { apiKeys, newApiKey } from './api-keys.ts';
import { limitRate } from './rate-limit.ts';

const [one, two] = [newApiKey('one', ['read']), newApiKey('two', ['read'])] as const;

async function setup(perMinute: number, entries: string[] = []) {
  const keys = entries.length === 0 ? [] : apiKeys.parse(entries.join());
  const { base, logged } = await serve((app) => {
    app.get('/jobs', authenticate(keys), limitRate({ perMinute }), (_request, response) => void response.json('done'));
  });
  const call = (headers: Record<string, string> = {}) => fetch(`${base}/jobs`, { headers });
  return { call, logged };
}

const bearer = ({ key }: { key: string }) => ({ Authorization: `Bearer ${key}` });

it('says what is left, and refuses what is beyond', async () => {
  const { call, logged } = await setup(2);
  for (const left of [1, 0]) {
    const { status, headers } = await call();
    expect([status, headers.get('ratelimit')]).toEqual([
      200,
      expect.stringMatching(`^"2-in-1min"; r=${left}; t=(60|59)$`),
    ]);
    expect(headers.get('ratelimit-policy')).toMatch(/^"2-in-1min"; q=2; w=60; pk=:.+:$/);
    expect(headers.get('retry-after')).toBeNull();
  }
  const { status, headers, json } = await call().then(async (response) => ({
    status: response.status,
    headers: response.headers,
    json: (await response.json()) as { type: string },
  }));
  expect([status, json.type, headers.get('ratelimit')]).toEqual([
    429,
    '/problems/rate-limited',
    expect.stringMatching('^"2-in-1min"; r=0; t='),
  ]);
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  expect(logged).toEqual([]);
});

it('counts each key for itself', async () => {
  const { call } = await setup(1, [one.entry, two.entry]);
  const statuses: number[] = [];
  for (const key of [one, two, one, two]) statuses.push((await call(bearer(key))).status);
  expect(statuses).toEqual([200, 200, 429, 429]);
});

it('takes no word for an address but that of the connection', async () => {
  const { call } = await setup(1);
  await call();
  expect((await call({ 'X-Forwarded-For': '192.0.2.1', Forwarded: 'for=192.0.2.1' })).status).toBe(429);
});

it('does not limit, nor speak of it, with 0', async () => {
  const { call } = await setup(0);
  const { status, headers } = await call();
  expect([status, headers.get('ratelimit'), headers.get('ratelimit-policy')]).toEqual([200, null, null]);
});
