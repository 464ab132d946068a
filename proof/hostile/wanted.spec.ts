import { describe, expect, it } from '@jest/globals';
import { wantedBy } from './wanted.ts';

const by = (text: string, path: 'job' | 'batch' = 'job') => wantedBy(Buffer.from(text), path);

it('is the job with the policy of its type', () => {
  expect(by('{"type":"demo.sleep","payload":{"seconds":-0},"tags":["a"],"runAt":"2026-12-01T01:00:00+01:00"}')).toEqual(
    [
      expect.objectContaining({
        ...{
          type: 'demo.sleep',
          queue: 'default',
          payload: { seconds: 0 },
          tags: ['a'],
          maxAttempts: 5,
          dedupeKey: null,
        },
        runAt: '2026-12-01T00:00:00.000Z',
      }),
    ],
  );
  expect(by('{"jobs":[{"type":"demo.sleep","payload":{}},{"type":"demo.sleep","payload":{}}]}', 'batch')).toHaveLength(
    2,
  );
});

it('is the job if only the worker can refuse its payload', () => {
  const headers = Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`x-${n}`, 'a'.repeat(8_000)]));
  const body = JSON.stringify({ type: 'http.request', payload: { url: 'https://example.com/', headers } });
  expect(by(body)).toEqual([expect.objectContaining({ type: 'http.request' })]);
});

describe('is the reason of the refusal', () => {
  it.each([
    ['', 'it is not JSON'],
    ['\ufeff\ufeff{"type":"demo.sleep","payload":{}}', 'it is not JSON'],
    ['{"type":"demo.sleep","payload":{},"payload":{}}', 'a member is duplicated'],
    ['{"type":"demo.sleep","payload":{},"\\u0070ayload":{}}', 'a member is duplicated'],
    [`{"type":"demo.sleep","payload":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 'it is 100001 levels deep'],
    ['{"type":"demo.slep","payload":{}}', 'there is no type demo.slep'],
    ['{"type":"demo.sleep","payload":{},"queue":"nowhere"}', 'there is no queue nowhere'],
    ['{"type":"demo.sleep","payload":{"seconds":1e999}}', 'expected number'],
  ])('%#: %.60s', (text, why) => {
    expect(by(text)).toEqual(expect.stringContaining(why));
  });

  it('of bytes that are not UTF-8', () => {
    expect(wantedBy(Buffer.from('"\xe9"', 'latin1'), 'job')).toBe('it is not UTF-8');
  });
});
