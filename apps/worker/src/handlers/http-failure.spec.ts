import { describe, expect, it } from '@jest/globals';
import { PermanentError, RetryAfterError } from '@offload/worker';
import { describeRequest, statusFailure } from './http-failure.ts';

describe('a status that is no success', () => {
  it.each([500, 502, 503, 504, 599, 429])('%d is retried', (status) => {
    const failure = statusFailure('GET http://example.com/', status, {});
    expect(failure).not.toBeInstanceOf(PermanentError);
    expect(failure.message).toBe(`GET http://example.com/ answered ${status}`);
  });

  it.each([503, 429])('%d is retried when Retry-After says so', (status) => {
    const failure = statusFailure('GET http://example.com/', status, { 'retry-after': '7' });
    expect(failure).toBeInstanceOf(RetryAfterError);
    expect(failure).toMatchObject({ retryAfterMs: 7_000 });
  });

  it('is put off for an hour at most', () => {
    const failure = statusFailure('GET http://example.com/', 503, { 'retry-after': '86400' });
    expect(failure).toMatchObject({ retryAfterMs: 3_600_000 });
  });

  it.each([204, 304, 400, 401, 403, 404, 408, 409, 410, 422])('%d is permanent', (status) => {
    expect(statusFailure('GET http://example.com/', status, { 'retry-after': '7' })).toBeInstanceOf(PermanentError);
  });

  it('names where a redirect points to', () => {
    const failure = statusFailure('GET http://example.com/', 301, { location: 'https://example.com/new' });
    expect(failure).toBeInstanceOf(PermanentError);
    expect(failure.message).toContain('https://example.com/new');
  });
});

it('leaves the query out of messages', () => {
  expect(describeRequest('GET', 'https://example.com/a?token=secret#x')).toBe('GET https://example.com/a');
});
