import assert from 'node:assert/strict';
import { rowsOf } from '../row.ts';
import { head } from '../wire.ts';

const path = '/v1/jobs/{id}';

/** Entity tags and preconditions (RFC 9110 sections 8.8 and 13). */
export const conditions = rowsOf('RFC 9110', [
  {
    section: '8.8.3',
    rule: 'A job has a weak entity tag, in its syntax',
    given: 'scheduled',
    request: { path },
    expect: { status: 200, headers: { ETag: '{etag}' } },
  },
  {
    section: '8.8.1',
    rule: 'The entity tag changes with the job',
    asked: 'GET /v1/jobs/{id}, before and after it is cancelled',
    answered: 'another ETag',
    async run({ ask, job }) {
      const { id } = await job('scheduled');
      const before = await ask({ path: `/v1/jobs/${id}` });
      await ask({ method: 'POST', path: `/v1/jobs/${id}/cancel` });
      const after = await ask({ path: `/v1/jobs/${id}`, headers: { 'if-none-match': String(before.headers['etag']) } });
      assert.equal(after.status, 200);
      assert.notEqual(after.headers['etag'], before.headers['etag']);
    },
  },
  {
    section: '13.1.2',
    rule: 'If-None-Match with the entity tag is answered 304',
    given: 'scheduled',
    request: { path, headers: { 'if-none-match': '{etag}' } },
    expect: { status: 304 },
  },
  {
    section: '8.8.3.2',
    rule: 'If-None-Match compares weakly: the same tag without `W/` matches',
    given: 'scheduled',
    request: { path, headers: { 'if-none-match': '"1"' } },
    expect: { status: 304 },
  },
  {
    section: '13.1.2',
    rule: 'If-None-Match is a list, with empty elements and commas inside of tags',
    given: 'scheduled',
    request: { path, headers: { 'if-none-match': '"a,b", , W/"0" ,{etag}' } },
    expect: { status: 304 },
  },
  {
    section: '13.1.2',
    rule: 'If-None-Match: * matches every entity tag',
    given: 'scheduled',
    request: { path, headers: { 'if-none-match': '*' } },
    expect: { status: 304 },
  },
  {
    section: '13.1.2',
    rule: 'If-None-Match with other entity tags is answered as if it were not there',
    given: 'scheduled',
    request: { path, headers: { 'if-none-match': 'W/"0", "11"' } },
    expect: { status: 200, body: { id: '{id}' } },
  },
  {
    section: '13.1.2',
    rule: 'If-None-Match of HEAD is answered 304, too',
    given: 'scheduled',
    request: { method: 'HEAD', path, headers: { 'if-none-match': '{etag}' } },
    expect: { status: 304 },
  },
  {
    section: '13.1.2',
    rule: 'If-None-Match that fails prevents another method with 412',
    asked: 'DELETE /v1/jobs/{id}, If-None-Match: *',
    answered: '412, and the job is still there',
    async run({ ask, job }) {
      const path = `/v1/jobs/${(await job('cancelled')).id}`;
      assert.equal((await ask({ method: 'DELETE', path, headers: { 'if-none-match': '*' } })).status, 412);
      assert.equal((await ask({ path })).status, 200);
    },
  },
  {
    section: '13.1.1',
    rule: 'If-Match with another entity tag prevents a method',
    asked: 'DELETE /v1/jobs/{id}, If-Match: "another"',
    answered: '412, and the job is still there',
    async run({ ask, job }) {
      const path = `/v1/jobs/${(await job('cancelled')).id}`;
      assert.equal((await ask({ method: 'DELETE', path, headers: { 'if-match': '"another"' } })).status, 412);
      assert.equal((await ask({ path })).status, 200);
    },
  },
  {
    section: '13.1.1',
    rule: 'If-Match compares strongly: a weak entity tag matches nothing',
    given: 'scheduled',
    request: { path, headers: { 'if-match': '{etag}' } },
    expect: { status: 412 },
  },
  {
    section: '13.1.1',
    rule: 'If-Match: * permits a method on a job that exists',
    given: 'cancelled',
    request: { method: 'DELETE', path, headers: { 'if-match': '*' } },
    expect: { status: 204 },
  },
  {
    section: '13.1.3',
    rule: 'If-Modified-Since is ignored where there is no modification date',
    given: 'scheduled',
    request: { path, headers: { 'if-modified-since': 'Fri, 31 Dec 2100 23:59:59 GMT' } },
    expect: { status: 200, headers: { 'Last-Modified': null } },
  },
  {
    section: '13.1.4',
    rule: 'If-Unmodified-Since is ignored where there is no modification date',
    given: 'scheduled',
    request: { path, headers: { 'if-unmodified-since': 'Sat, 29 Oct 1994 19:43:31 GMT' } },
    expect: { status: 200 },
  },
  {
    section: '13.1.5',
    rule: 'If-Range with another entity tag gets the whole',
    request: { path: '/docs/swagger-ui.css', headers: { 'if-range': '"another"', range: 'bytes=0-9' } },
    expect: { status: 200, headers: { 'Content-Range': null } },
  },
  {
    section: '13.2.2',
    rule: 'If-None-Match wins over If-Modified-Since',
    request: {
      path: '/docs/swagger-ui.css',
      headers: { 'if-none-match': '"another"', 'if-modified-since': 'Fri, 31 Dec 2100 23:59:59 GMT' },
    },
    expect: { status: 200 },
  },
  {
    section: '13.1.1',
    rule: 'If-Match with another entity tag of a file is answered 412',
    request: { path: '/docs/swagger-ui.css', headers: { 'if-match': '"another"' } },
    expect: { status: 412 },
  },
  {
    section: '13.2.1',
    rule: 'Preconditions are ignored where the answer without them would not be 2xx',
    request: { path: '/v1/jobs/01900000-0000-7000-8000-000000000000', headers: { 'if-none-match': '*' } },
    expect: { status: 404, problem: 'job-not-found' },
  },
  {
    section: '13.2.1',
    rule: 'A conflict comes before a failed precondition',
    given: 'scheduled',
    request: { method: 'DELETE', path, headers: { 'if-none-match': '*' } },
    expect: { status: 409, problem: 'job-not-finished' },
  },
  {
    section: '13.2.2',
    rule: 'If-Match is evaluated before If-None-Match',
    given: 'scheduled',
    request: { path, headers: { 'if-match': '"another"', 'if-none-match': '*' } },
    expect: { status: 412 },
  },
  {
    section: '15.4.5',
    rule: '304 has the ETag, Cache-Control, Vary and Date of 200',
    given: 'scheduled',
    request: { path, headers: { 'if-none-match': '*' } },
    expect: {
      status: 304,
      headers: { ETag: '{etag}', 'Cache-Control': 'private, no-cache', Vary: /\bPrefer\b/, Date: / GMT$/ },
    },
  },
  {
    section: '15.4.5',
    rule: '304 ends with its head, and has no representation metadata that guide no cache',
    given: 'scheduled',
    wire:
      head('GET /v1/jobs/{id} HTTP/1.1', 'Host: api', 'If-None-Match: *') +
      head('GET /healthz HTTP/1.1', 'Host: api', 'Connection: close'),
    expect: [{ status: 304, headers: { 'Content-Type': null, 'Content-Length': null } }, { status: 200 }],
  },
  {
    section: '13.1.2',
    rule: 'A request for the result of a job can be conditional too',
    given: 'succeeded',
    request: { path: '/v1/jobs/{id}/result', headers: { 'if-none-match': '{etag}' } },
    expect: { status: 304, headers: { ETag: '{etag}' } },
  },
]);
