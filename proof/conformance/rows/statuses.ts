import assert from 'node:assert/strict';
import { rowsOf } from '../row.ts';
import { sleep } from '../scene.ts';
import { head } from '../wire.ts';

/** Statuses of answers, and their fields (RFC 9110 sections 10.2 and 15). */
export const statuses = rowsOf('RFC 9110', [
  {
    section: '10.2.2',
    rule: 'Location of a 202 is the job',
    asked: 'POST /v1/jobs, then GET of Location',
    answered: '200 with that job',
    async run({ ask, get }) {
      const { headers, body } = await ask({ path: '/v1/jobs', body: { ...sleep, delayMs: 3_600_000 } });
      assert.deepEqual(await get({ path: String(headers['location']) }), JSON.parse(body));
    },
  },
  {
    section: '10.2.3',
    rule: 'Retry-After is a whole number of seconds',
    request: { path: '/v1/jobs', body: { ...sleep, delayMs: 1_999_500 } },
    expect: { status: 202, headers: { 'Retry-After': /^(19\d\d|2000)$/ } },
  },
  {
    section: '10.2.4',
    rule: 'No field names the software of the server',
    request: { path: '/healthz' },
    expect: { status: 200, headers: { Server: null, 'X-Powered-By': null, Via: null } },
  },
  {
    section: '15.3.3',
    rule: '202 has the state of the job, and its URL',
    request: { path: '/v1/jobs', body: { ...sleep, queue: 'idle' } },
    expect: { status: 202, body: { status: 'queued', links: { self: /^\/v1\/jobs\/[0-9a-f-]{36}$/ } } },
  },
  {
    section: '15.3.5',
    rule: '204 has no content, and no Content-Length (section 8.6)',
    given: 'cancelled',
    wire:
      head('DELETE /v1/jobs/{id} HTTP/1.1', 'Host: api') +
      head('GET /healthz HTTP/1.1', 'Host: api', 'Connection: close'),
    expect: [
      { status: 204, headers: { 'Content-Length': null, 'Content-Type': null, 'Transfer-Encoding': null } },
      { status: 200 },
    ],
  },
  {
    section: '15.5.9',
    rule: 'A body that is too late is answered 408, and the connection is closed',
    at: 'stranded',
    wire: `${head('POST /v1/jobs HTTP/1.1', 'Host: api', 'Content-Type: application/json', 'Content-Length: 9')}{"ty`,
    expect: [{ status: 408, problem: 'request-timeout', headers: { Connection: 'close' } }],
  },
  {
    section: '15.5.9',
    rule: 'A head that is too late is answered 408 too',
    at: 'stranded',
    wire: 'GET /healthz HTTP/1.1\r\nHos',
    expect: [{ status: 408, problem: 'request-timeout', headers: { Connection: 'close' } }],
  },
  {
    section: '15.5.10',
    rule: '409 explains the conflict',
    given: 'succeeded',
    request: { method: 'POST', path: '/v1/jobs/{id}/cancel' },
    expect: { status: 409, problem: 'job-finished', body: { detail: /succeeded/ } },
  },
  {
    section: '15.5.15',
    rule: 'A target that is too long is answered 414',
    asked: 'GET of a target of 20,000 octets',
    wire: head(`GET /${'a'.repeat(20_000)} HTTP/1.1`, 'Host: api'),
    expect: [{ status: 414, headers: { Connection: 'close' } }],
  },
  {
    section: '15.6.4',
    rule: '503 has Retry-After',
    request: { path: '/v1/jobs', body: sleep, at: 'stranded' },
    expect: { status: 503, problem: 'database-unavailable', headers: { 'Retry-After': /^\d+$/ } },
  },
]);
