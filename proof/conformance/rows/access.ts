import assert from 'node:assert/strict';
import { rowsOf, type Row } from '../row.ts';
import { sleep } from '../scene.ts';
import { keyOf } from '../world.ts';

const at = 'guarded';
const path = '/v1/jobs';
const realm = /^Bearer realm="offload"/;

const http: Row[] = rowsOf('RFC 9110', [
  {
    section: '15.5.2',
    rule: '401 has a challenge',
    request: { path, at },
    expect: { status: 401, problem: 'unauthorized', headers: { 'WWW-Authenticate': realm } },
  },
  {
    section: '11.1',
    rule: 'The name of the scheme is case-insensitive',
    request: { path: `${path}?limit=1`, at, headers: { authorization: `bEARER ${keyOf('reader')}` } },
    expect: { status: 200 },
  },
  {
    section: '11.6.2',
    rule: 'Credentials of another scheme count as missing',
    request: { path, at, headers: { authorization: 'Basic YTpi' } },
    expect: { status: 401, headers: { 'WWW-Authenticate': 'Bearer realm="offload"' } },
  },
  {
    section: '15.5.4',
    rule: 'Credentials that are not good enough are answered 403',
    request: { path, body: sleep, by: 'reader' },
    expect: { status: 403, problem: 'insufficient-scope' },
  },
]);

const bearer: Row[] = rowsOf('RFC 6750', [
  {
    section: '2.1',
    rule: 'A token goes in Authorization: Bearer',
    request: { path: `${path}?limit=1`, by: 'reader' },
    expect: { status: 200 },
  },
  {
    section: '2.3',
    rule: 'A token in the query, where it would be logged, is none',
    request: { path: `${path}?access_token=${keyOf('reader')}`, at },
    expect: { status: 401 },
  },
  {
    section: '3',
    rule: 'An answer to a request without a token has no error code',
    request: { path, at },
    expect: { status: 401, headers: { 'WWW-Authenticate': 'Bearer realm="offload"' } },
  },
  {
    section: '3.1',
    rule: 'A token that is not known is answered 401 with invalid_token',
    request: { path, at, headers: { authorization: 'Bearer ofl_unknown' } },
    expect: { status: 401, headers: { 'WWW-Authenticate': /^Bearer .*\berror="invalid_token"/ } },
  },
  {
    section: '3.1',
    rule: 'A token that is malformed is answered 401 with invalid_token',
    request: { path, at, headers: { authorization: `Bearer ${keyOf('reader')} and more` } },
    expect: { status: 401, headers: { 'WWW-Authenticate': /^Bearer .*\berror="invalid_token"/ } },
  },
  {
    section: '3.1',
    rule: 'A token without the scope is answered 403 with insufficient_scope, and the scope it needs',
    request: { method: 'POST', path: `${path}/01900000-0000-7000-8000-000000000000/cancel`, by: 'submitter' },
    expect: {
      status: 403,
      headers: { 'WWW-Authenticate': /^Bearer .*\berror="insufficient_scope".*\bscope="manage"/ },
    },
  },
]);

const scopes: Row[] = rowsOf('Contract', [
  {
    section: 'Who may',
    rule: 'A refused client does not learn which paths and jobs exist: 401 comes before 404 and 405',
    asked: 'GET /v1/nowhere, PUT /v1/jobs and GET of a job, without a key',
    answered: '401',
    async run({ ask, job }) {
      const { id } = await job('scheduled');
      const answers = [
        await ask({ path: '/v1/nowhere', at }),
        await ask({ method: 'PUT', path, at }),
        await ask({ path: `${path}/${id}`, at }),
      ];
      assert.deepEqual(
        answers.map(({ status }) => status),
        [401, 401, 401],
      );
    },
  },
  {
    section: 'Who may',
    rule: 'An answer never repeats a key',
    asked: 'GET /v1/jobs, Authorization: Bearer ofl_secret',
    answered: '401, without the key',
    async run({ ask, unique }) {
      const answer = await ask({ path, at, headers: { authorization: `Bearer ${unique}` } });
      assert.equal(answer.status, 401);
      assert.ok(!JSON.stringify(answer).includes(unique), 'the answer repeats it');
    },
  },
]);

/** Authentication and authorisation. */
export const access = [...http, ...bearer, ...scopes];
