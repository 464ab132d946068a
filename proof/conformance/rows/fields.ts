import assert from 'node:assert/strict';
import { rowsOf } from '../row.ts';
import { sleep } from '../scene.ts';
import { head } from '../wire.ts';

const post = ['POST /v1/jobs HTTP/1.1', 'Host: api', 'Content-Type: application/json', 'Connection: close'];
const body = JSON.stringify(sleep);
const length = `Content-Length: ${body.length}`;

/** Fields of any message, and expectations (RFC 9110 sections 5 to 8, and 10.1). */
export const fields = rowsOf('RFC 9110', [
  {
    section: '5.1',
    rule: 'Names of fields are case-insensitive',
    wire: `${head('POST /v1/jobs HTTP/1.1', 'hOST: api', 'CONTENT-TYPE: application/json', 'connection: close', 'PREFER: wait=0', length)}${body}`,
    expect: [{ status: 202, headers: { 'Preference-Applied': 'wait=0' } }],
  },
  {
    section: '5.3',
    rule: 'Several lines of a field are one list, in their order',
    wire: `${head(...post, 'Prefer: respond-async', 'Prefer: wait=0', 'Prefer: wait=9', length)}${body}`,
    expect: [{ status: 202, headers: { 'Preference-Applied': 'wait=0' } }],
  },
  {
    section: '5.5',
    rule: 'Whitespace around the value of a field is not part of it',
    wire: `${head('POST /v1/jobs HTTP/1.1', 'Host: api', 'Content-Type:\tapplication/json \t', 'Connection: close', length)}${body}`,
    expect: [{ status: 202 }],
  },
  {
    section: '5.5',
    rule: 'A NUL in a field is refused',
    wire: head('GET /healthz HTTP/1.1', 'Host: api', 'X-Request-Id: a\0b'),
    expect: [{ status: 400, problem: 'bad-request' }],
    broken: true,
  },
  {
    section: '5.5',
    rule: 'A field that is not a list is refused when it is duplicated',
    wire: head(
      'POST /v1/jobs HTTP/1.1',
      'Host: api',
      'Content-Type: application/json',
      'Content-Type: text/csv',
      length,
    ),
    expect: [{ status: 400, problem: 'bad-request' }],
  },
  {
    section: '5.6.1.2',
    rule: 'Empty elements of a list are ignored',
    request: { path: '/v1/jobs', body: sleep, headers: { prefer: ', ,wait=0, ,' } },
    expect: { status: 202, headers: { 'Preference-Applied': 'wait=0' } },
  },
  {
    section: '6.6.1',
    rule: 'Every 2xx, 3xx and 4xx has a Date, also the answer to an unreadable request',
    asked: 'GET, GET with If-None-Match, GET of nothing, and no HTTP at all',
    answered: '200, 304, 404 and 400, Date',
    async run({ ask, job, connect }) {
      const path = `/v1/jobs/${(await job('scheduled')).id}`;
      const wire = await connect();
      wire.send('nonsense\r\n\r\n');
      const answers = [
        await ask({ path }),
        await ask({ path, headers: { 'if-none-match': '*' } }),
        await ask({ path: '/nowhere' }),
        await wire.next(),
      ];
      assert.deepEqual(
        answers.map(({ status }) => status),
        [200, 304, 404, 400],
      );
      for (const { headers } of answers) {
        assert.match(
          String(headers['date']),
          /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/,
        );
      }
    },
  },
  {
    section: '7.8',
    rule: 'An Upgrade to an unsupported protocol is ignored',
    wire: head('GET /healthz HTTP/1.1', 'Host: api', 'Connection: Upgrade, close', 'Upgrade: h2c, websocket'),
    expect: [{ status: 200 }],
  },
  {
    section: '8.6',
    rule: 'A Content-Length beyond all integers does not overflow',
    wire: head(
      'POST /v1/jobs HTTP/1.1',
      'Host: api',
      'Content-Type: application/json',
      'Content-Length: 18446744073709551618',
    ),
    expect: [{ status: 400, problem: 'bad-request', headers: { Connection: 'close' } }],
    broken: true,
  },
  {
    section: '8.7',
    rule: 'Content-Location of a 200 to POST is the URL of the same job',
    asked: 'POST /v1/jobs, Prefer: wait=20, then GET of Content-Location',
    answered: '200 with the same job',
    async run({ ask, get }) {
      const answer = await ask({ path: '/v1/jobs', body: sleep, headers: { prefer: 'wait=20' } });
      assert.equal(answer.status, 200);
      assert.deepEqual(await get({ path: String(answer.headers['content-location']) }), JSON.parse(answer.body));
    },
  },
  {
    section: '10.1.1',
    rule: 'A request that expects 100-continue gets 100 before its body, then the answer',
    asked: 'POST /v1/jobs, Expect: 100-Continue; the body once 100 has come',
    answered: '100, 202',
    async run({ connect }) {
      const wire = await connect();
      wire.send(head(...post, length, 'Expect: 100-Continue'));
      assert.equal((await wire.next()).status, 100);
      wire.send(body);
      assert.equal((await wire.next()).status, 202);
    },
  },
  {
    section: '10.1.1',
    rule: 'A request that expects 100-continue and is refused for its head gets that answer alone, and the connection is closed',
    wire: head('POST /v1/jobs HTTP/1.1', 'Host: api', 'Content-Type: text/csv', length, 'Expect: 100-continue'),
    expect: [{ status: 415, problem: 'unsupported-media-type', headers: { Connection: 'close' } }],
  },
  {
    section: '10.1.1',
    rule: '100-continue in a request of HTTP/1.0 is ignored',
    wire: `${head('POST /v1/jobs HTTP/1.0', 'Content-Type: application/json', length, 'Expect: 100-continue')}${body}`,
    expect: [{ status: 202 }],
  },
  {
    section: '15.5.18',
    rule: 'Another expectation is answered 417',
    wire: head('POST /v1/jobs HTTP/1.1', 'Host: api', 'Content-Length: 2', 'Expect: a-miracle'),
    expect: [{ status: 417, problem: 'expectation-failed', headers: { Connection: 'close' } }],
  },
  {
    section: '6.2',
    rule: 'A request in an unknown major version is refused, and does not count as HTTP/1.1',
    asked: 'GET /healthz HTTP/2.0',
    answered: '400 or 505',
    async run({ connect }) {
      const wire = await connect();
      wire.send(head('GET /healthz HTTP/2.0', 'Host: api', 'Connection: close'));
      const { status } = await wire.next();
      assert.ok([400, 505].includes(status), `answered ${status}`);
    },
  },
]);
