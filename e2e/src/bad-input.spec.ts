import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startSystem, type System, type SystemProcess } from '@offload/running-system';
import { post } from '@offload/running-system/requests';

let system: System;
let api: SystemProcess;

beforeAll(async () => {
  system = await startSystem();
  api = await system.startApi();
});
afterAll(() => system?.stop());

const job = { type: 'demo.sleep', payload: { seconds: 1 } };
const http = { type: 'http.request', payload: { url: 'https://example.com/' } };

describe('a wrong body is answered with 400 and the wrong member', () => {
  it.each<[string, unknown, string]>([
    ['unknown type', { ...job, type: 'demo.slep' }, '/type'],
    ['type that is a member of every object', { ...job, type: 'constructor' }, '/type'],
    ['type missing', { payload: {} }, '/type'],
    ['type of another kind', { ...job, type: 7 }, '/type'],
    ['payload missing', { type: 'demo.sleep' }, '/payload'],
    ['payload of another kind', { ...job, payload: [1] }, '/payload'],
    ['wrong payload', { ...job, payload: { seconds: 'ten' } }, '/payload/seconds'],
    ['payload out of range', { ...job, payload: { seconds: 3_601 } }, '/payload/seconds'],
    ['unknown member of the payload', { ...job, payload: { seconds: 1, 'a/b~': 1 } }, '/payload/a~1b~0'],
    ['unknown member', { ...job, colour: 'red' }, '/colour'],
    ['unknown queue', { ...job, queue: 'nowhere' }, '/queue'],
    ['negative delay', { ...job, delayMs: -1 }, '/delayMs'],
    ['delay and time', { ...job, delayMs: 1, runAt: '2030-01-01T00:00:00Z' }, '/delayMs'],
    ['time without a zone', { ...job, runAt: '2030-01-01T00:00:00' }, '/runAt'],
    ['no attempts', { ...job, maxAttempts: 0 }, '/maxAttempts'],
    ['number beyond a double', '{"type":"demo.sleep","payload":{},"timeoutMs":1e999}', '/timeoutMs'],
    ['tag that PostgreSQL can not hold', { ...job, tags: ['fine', 'a\0b'] }, '/tags/1'],
    ['factor of the back-off', { ...job, backoff: { factor: 0 } }, '/backoff/factor'],
    ['URL of another scheme', { ...http, payload: { url: 'file:///etc/passwd' } }, '/payload/url'],
    ['URL with a password', { ...http, payload: { url: 'https://a:b@example.com/' } }, '/payload/url'],
    [
      'header with a line break',
      { ...http, payload: { ...http.payload, headers: { a: 'b\r\nc' } } },
      '/payload/headers/a',
    ],
    [
      'CSV and its URL at once',
      { type: 'csv.profile', payload: { csv: 'a', url: 'https://example.com/' } },
      '/payload',
    ],
    ['list', [job], ''],
    ['text', '"demo.sleep"', ''],
    ['null', 'null', ''],
    [
      'brackets without end',
      `{"type":"demo.sleep","payload":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      `/payload${'/0'.repeat(63)}`,
    ],
  ])('%s', async (_what, body, pointer) => {
    const problem = await problemOf(await post(api, body), 400);
    expect(problem).toMatchObject({ type: '/problems/invalid-request', instance: '/v1/jobs' });
    expect(problem.errors).toContainEqual({ pointer, detail: expect.stringMatching(/\w/) });
    expect(problem.detail).toContain(pointer || 'the body');
  });
});

it('names all wrong members at once', async () => {
  const body = { type: 'demo.sleep', payload: {}, colour: 'red', size: 1, delayMs: 'soon' };
  const problem = await problemOf(await post(api, body), 400);
  const pointers = problem.errors?.map(({ pointer }: { pointer?: string }) => pointer);
  expect(pointers?.sort()).toEqual(['/colour', '/delayMs', '/size']);
});

describe('an unreadable request is answered with the right 4xx', () => {
  const large = JSON.stringify({ type: 'csv.profile', payload: { csv: 'x'.repeat(2 * 1024 * 1024) } });
  it.each<[string, RequestInit, number, string]>([
    ['broken JSON', { body: '{"type":"demo.sleep",' }, 400, 'malformed-json'],
    ['2 MiB', { body: large }, 413, 'body-too-large'],
    [
      'another content type',
      { body: '<job/>', headers: { 'content-type': 'text/xml' } },
      415,
      'unsupported-media-type',
    ],
    ['no body at all', { headers: {} }, 415, 'unsupported-media-type'],
    ['unknown encoding', { body: '{}', headers: { 'content-encoding': 'lzma' } }, 415, 'unsupported-media-type'],
    [
      'unknown character set',
      { body: '{}', headers: { 'content-type': 'application/json; charset=x' } },
      415,
      'unsupported-media-type',
    ],
  ])('%s', async (_what, init, status, slug) => {
    const headers = { 'content-type': 'application/json', ...init.headers };
    const response = await fetch(`${api.url}/v1/jobs`, {
      method: 'POST',
      ...init,
      headers: init.body === undefined ? {} : headers,
    });
    expect((await problemOf(response, status)).type).toBe(`/problems/${slug}`);
  });
});

describe('a wrong parameter is answered with 400 and its name', () => {
  it.each([
    ['id', '/v1/jobs/seven'],
    ['id', '/v1/jobs/01900000-0000-7000-8000-00000000000g'],
    ['cursor', '/v1/jobs?cursor=abc'],
    ['cursor', '/v1/jobs?cursor='],
    ['limit', '/v1/jobs?limit=0'],
    ['limit', '/v1/jobs?limit=201'],
    ['limit', '/v1/jobs?limit=ten'],
    ['status', '/v1/jobs?status=done'],
    ['status', '/v1/jobs?status=queued&status=running'],
    ['colour', '/v1/jobs?colour=red'],
  ])('%s in %s', async (parameter, path) => {
    const problem = await problemOf(await fetch(api.url + path), 400);
    expect(problem).toMatchObject({ type: '/problems/invalid-request', instance: path });
    expect(problem.errors).toEqual([{ parameter, detail: expect.any(String) }]);
    expect(problem.detail).toContain(parameter);
  });
});

it('answers 404 for an unknown path', async () => {
  const unknown = await fetch(`${api.url}/v1/jobs/01900000-0000-7000-8000-000000000000`);
  expect((await problemOf(unknown, 404)).type).toBe('/problems/job-not-found');
  expect((await problemOf(await fetch(`${api.url}/v2/jobs`), 404)).type).toBe('/problems/not-found');
  expect((await problemOf(await fetch(`${api.url}/v1/jobs/%zz`), 400)).type).toBe('/problems/bad-request');
});

it.each([
  ['PUT', '/v1/jobs', 'GET, HEAD, POST, OPTIONS'],
  ['POST', '/v1/jobs/01900000-0000-7000-8000-000000000000', 'GET, HEAD, DELETE, OPTIONS'],
  ['POST', '/v1/job-types', 'GET, HEAD, OPTIONS'],
])('answers 405 to %s %s with the allowed methods', async (method, path, allow) => {
  const response = await fetch(api.url + path, { method });
  expect((await problemOf(response, 405)).type).toBe('/problems/method-not-allowed');
  expect(response.headers.get('allow')).toBe(allow);
});

it('has stored nothing and logged no error after all of this', async () => {
  expect(await (await fetch(`${api.url}/v1/jobs`)).json()).toEqual({ jobs: [], nextCursor: null });
  expect(api.log.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
});

interface ProblemBody {
  type: string;
  detail: string;
  errors?: { pointer?: string; parameter?: string; detail: string }[];
}

/** The problem in a response with this status (RFC 9457). */
async function problemOf(response: Response, status: number): Promise<ProblemBody> {
  const body = (await response.json()) as ProblemBody;
  expect([response.status, body]).toEqual([status, expect.objectContaining({ status })]);
  expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect(response.headers.get('x-request-id')).toMatch(/./);
  expect(body).toMatchObject({ title: expect.any(String), detail: expect.any(String), instance: expect.any(String) });
  return body;
}
