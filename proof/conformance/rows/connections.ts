import assert from 'node:assert/strict';
import { rowsOf } from '../row.ts';
import { sleep } from '../scene.ts';
import { head } from '../wire.ts';

const get = (path: string, ...fields: string[]): string => head(`GET ${path} HTTP/1.1`, 'Host: api', ...fields);

/** The life of a connection, and the order of its answers (RFC 9112 section 9). */
export const connections = rowsOf('RFC 9112', [
  {
    section: '9.3',
    rule: 'A connection of HTTP/1.1 stays open for the next request',
    asked: 'GET /healthz, and again once that is answered',
    answered: '200, 200',
    async run({ connect }) {
      const wire = await connect();
      for (let round = 0; round < 2; round += 1) {
        wire.send(get('/healthz'));
        const { status, headers } = await wire.next();
        assert.deepEqual([status, headers['connection']], [200, 'keep-alive']);
      }
    },
  },
  {
    section: '9.3',
    rule: 'A connection of HTTP/1.0 is closed behind the answer',
    wire: head('GET /healthz HTTP/1.0'),
    expect: [{ status: 200, headers: { Connection: 'close' } }],
  },
  {
    section: '9.3',
    rule: 'Keep-alive keeps a connection of HTTP/1.0 open',
    wire: head('GET /healthz HTTP/1.0', 'Connection: keep-alive') + head('GET /healthz HTTP/1.0'),
    expect: [
      { status: 200, headers: { Connection: 'keep-alive' } },
      { status: 200, headers: { Connection: 'close' } },
    ],
  },
  {
    section: '9.3',
    rule: 'An unread body does not count as the next request',
    asked: 'POST /nowhere with a request as its body, then GET /healthz',
    wire: `${head('POST /nowhere HTTP/1.1', 'Host: api', `Content-Length: ${get('/v1/jobs').length}`)}${get('/v1/jobs')}${get('/healthz', 'Connection: close')}`,
    expect: [{ status: 404 }, { status: 200, body: { status: 'alive' } }],
    broken: true, // the parser of this table would take the body for a request
  },
  {
    section: '9.3.2',
    rule: 'Answers to pipelined requests come in the order of the requests',
    asked: 'GET of a job with Prefer: wait=1, and GET /healthz at once behind it',
    given: 'scheduled',
    wire: get('/v1/jobs/{id}', 'Prefer: wait=1') + get('/healthz', 'Connection: close'),
    expect: [
      { status: 200, headers: { 'Preference-Applied': 'wait=1' } },
      { status: 200, body: { status: 'alive' } },
    ],
  },
  {
    section: '9.3.2',
    rule: 'The answer to a fault comes after the answers to earlier requests',
    wire: `${get('/healthz')}nonsense\r\n\r\n`,
    expect: [{ status: 200 }, { status: 400, problem: 'bad-request', headers: { Connection: 'close' } }],
  },
  {
    section: '9.6',
    rule: 'Connection: close is obeyed, and repeated in the answer',
    wire: get('/healthz', 'Connection: close'),
    expect: [{ status: 200, headers: { Connection: 'close' } }],
  },
  {
    section: '9.6',
    rule: 'Connection: close is obeyed also with Expect: 100-continue',
    asked: 'POST /v1/jobs, Connection: close, Expect: 100-continue; the body once 100 has come',
    answered: '100; 202, Connection: close; the connection is closed',
    async run({ connect }) {
      const wire = await connect();
      const body = JSON.stringify(sleep);
      const fields = ['Host: api', 'Content-Type: application/json', `Content-Length: ${body.length}`];
      wire.send(head('POST /v1/jobs HTTP/1.1', ...fields, 'Connection: close', 'Expect: 100-continue'));
      assert.equal((await wire.next()).status, 100);
      wire.send(body);
      const [answer, ...more] = await wire.rest();
      assert.deepEqual([answer?.status, answer?.headers['connection'], more.length], [202, 'close', 0]);
    },
  },
  {
    section: '9.6',
    rule: 'Bytes after a request with Connection: close are not processed',
    asked: 'GET /healthz with Connection: close, and POST /v1/jobs behind it',
    answered: '200 alone, and no job',
    async run({ connect, get: read, unique }) {
      const wire = await connect();
      const body = JSON.stringify({ ...sleep, tags: [unique] });
      const fields = ['Host: api', 'Content-Type: application/json', `Content-Length: ${body.length}`];
      wire.send(get('/healthz', 'Connection: close') + head('POST /v1/jobs HTTP/1.1', ...fields) + body);
      assert.deepEqual(
        (await wire.rest()).map(({ status }) => status),
        [200],
      );
      assert.deepEqual((await read<{ jobs: unknown[] }>({ path: `/v1/jobs?tag=${unique}` })).jobs, []);
    },
  },
]);
