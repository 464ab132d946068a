import fc, { type Arbitrary } from 'fast-check';
import { plainBody } from './bodies.ts';
import { latin1, oddText, percentEncoded } from './odd-text.ts';
import { jobNumber, message, usualFields, type Message } from './script.ts';
import type { Submissions } from './submissions.ts';

const methods = [
  ...['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT', 'PROPFIND', 'M-SEARCH', 'QUERY'],
];
const wrong = ['get', 'GETT', 'FOO', 'G', '', 'GET\0', 'G\tET', 'PRI', 'SOURCE', 'é', '__proto__', 'A'.repeat(5_000)];

const id = jobNumber(1);
const paths = [
  ...['/', '//', '///v1/jobs', '/v1//jobs', '/v1/jobs/', '/V1/JOBS', '/v1/jobs/../jobs', '/v1/./jobs', '/v1', '/v1/'],
  ...['/v1/jobs/%2e%2e', '/v1/jobs/%2E%2E%2F', '/v1/jobs/%00', '/v1/jobs/%', '/v1/jobs/%zz', '/v1/jobs/%ff'],
  ...['/%2f..', '/v1/jobs/%c0%80', '/v1/jobs/%ed%a0%80', '/v1/jobs/%u0041', '/v1/jobs/__proto__'],
  ...['/v1/jobs/constructor/result', '/v1/jobs;a=b', `/v1/jobs/${id};`, `/v1/jobs/${id}/`, `/v1/jobs/${id}//result`],
  ...[`/v1/jobs/${id.toUpperCase()}`, `/v1/jobs/%66${id.slice(1)}`, `/v1/jobs/{${id}}`, `/v1/jobs/${id}/result/..`],
  ...['/v1/jobs/batch/', '/v1/jobs/BATCH', '/problems/__proto__', '/problems/constructor', '/problems/toString'],
  ...['/problems/', '/problems/queue-full/', '/docs/', '/docs/../package.json', '/docs/%2e%2e/package.json'],
  ...['/docs/..%2fpackage.json', '/docs/swagger-ui.css', '/docs/swagger-ui.css/', '/docs/page.js%00'],
  ...['/docs//page.js', '/openapi.json/', '/openapi.json?', '/metrics/x', '/healthz/..', '/healthz?x=%', '/readyz#'],
  ...['/favicon.ico', '/.env', '/.git/config', '/\\', '/v1\\jobs', '/~'],
];
const forms = [
  ...['http://127.0.0.1/v1/jobs', 'HTTP://EXAMPLE.COM/v1/jobs?limit=1', 'https://x:99999/healthz', 'http://'],
  ...['http:///v1/jobs', 'http://x?limit=1', 'http://x#a', 'http://u:p@x/v1/jobs', 'http://[::1'],
  ...['http://[::1]/healthz', 'ftp://x/healthz', 'x:y', 'javascript:alert(1)', 'about:blank', '*', '**'],
  ...['127.0.0.1:80', '[::1]:80', 'healthz', '', '?', '#', '/#a', '/?#', 'http://x/http://y/v1/jobs', '//x/v1/jobs'],
  ...['/v1/jobs?a=b?c=d', '/v1/jobs HTTP/1.1', '/ /', '/\t', '/\0', '/\x7f', '/\x01'],
];
const long = ['/', '/a', '/%00', '/..', '?', '/v1/jobs?a=', '/é'].map((part) =>
  latin1(part).repeat(8_000).slice(0, 7_900),
);

/** Targets that are too long or not, with bytes that no URL has, or in other forms than a path. */
const target = fc.oneof(
  { arbitrary: fc.constantFrom(...paths), weight: 8 },
  { arbitrary: fc.constantFrom(...forms), weight: 4 },
  { arbitrary: fc.constantFrom(...long, `/${'a'.repeat(20_000)}`, `/?${'a'.repeat(70_000)}`), weight: 1 },
  { arbitrary: oddText.map((text) => `/v1/jobs/${latin1(text).slice(0, 3_000)}`), weight: 3 },
  { arbitrary: oddText.map((text) => `/${percentEncoded(text).slice(0, 3_000)}`), weight: 2 },
);

/** Requests with an odd method, an odd target or both, some with a body. */
export function oddTargets({ jobText }: Submissions): Arbitrary<(index: number) => Message> {
  const method = fc.oneof(
    { arbitrary: fc.constantFrom('GET', 'POST', 'DELETE'), weight: 5 },
    { arbitrary: fc.constantFrom(...methods), weight: 3 },
    { arbitrary: fc.constantFrom(...wrong.map(latin1)), weight: 1 },
  );
  const body = fc.option(jobText.map(plainBody), { freq: 2, nil: undefined });
  return fc.tuple(method, target, body).map(([verb, where, given]) => {
    return (index: number) => message(verb, where, [...usualFields(index), ...(given?.fields ?? [])], given);
  });
}

const names = ['status', 'type', 'queue', 'tag', 'limit', 'cursor', 'createdAfter', 'createdBefore'];
const oddNames = [
  ...['__proto__', 'constructor', 'toString', 'status[]', 'status[a]', 'limit[__proto__]', '', 'a.b', '%', '%00'],
];
const times = [
  ...['0000-01-01T00:00:00Z', '9999-12-31T23:59:59.999999999Z', '2026-02-30T00:00:00Z', '2026-01-01T00:00:00+23:59'],
  ...['1970-01-01T00:00:00Z', '-000001-01-01T00:00:00Z', '+275760-09-13T00:00:00Z', '2026-06-30T23:59:60Z'],
  ...['2026-01-01', '2026-01-01T24:00:00Z', '2026-01-01T00:00Z', '2026-01-01T00:00:00.Z', '2026-01-01t00:00:00z'],
  '20260101T000000Z',
];
const values = [
  ...['', '0', '1', '200', '201', '00001', '+1', '1e2', '-1', '1.0', ' 1', '1 ', latin1('٣'), '%31', '%', '%zz'],
  ...['%00', 'a%00b', '%ff', '%F0%9F', '%ed%a0%80', 'queued', 'QUEUED', 'queued,running', 'default', 'demo.sleep'],
  ...['AAAAAAAAAAAAAAAAAAAAAA', 'null', 'AZrF-J9Mej6NJz8fbw98VQ', 'AZrF-J9Mej6NJz8fbw98VQ=='],
  ...['_____________________w', '[object Object]', "'%20or%201=1--"],
];

/** `GET /v1/jobs` with any parameters: doubled, nested, many, badly encoded. */
export const oddQueries: Arbitrary<(index: number) => Message> = fc
  .oneof(
    {
      arbitrary: fc
        .array(
          fc.tuple(
            fc.oneof({ arbitrary: fc.constantFrom(...names), weight: 9 }, fc.constantFrom(...oddNames)),
            fc.oneof(
              { arbitrary: fc.constantFrom(...values, ...times.map(percentEncoded)), weight: 4 },
              { arbitrary: oddText.map((text) => percentEncoded(text).slice(0, 1_500)), weight: 1 },
            ),
          ),
          { minLength: 1, maxLength: 4 },
        )
        .map((pairs) => pairs.map(([name, value]) => `${name}=${value}`).join('&')),
      weight: 12,
    },
    fc.constantFrom(
      ...['&', '=', '%', 'a&', '?'].map((part) => part.repeat(3_000)),
      ...['?&=?', 'limit', 'limit=1&limit=1'],
    ),
  )
  .map((query) => (index) => message('GET', `/v1/jobs?${query}`, usualFields(index)));
