import assert from 'node:assert/strict';
import { rowsOf } from '../row.ts';
import { head } from '../wire.ts';

const NO_ANSWER_OF_ITS_OWN = ['date', 'x-request-id', 'content-length'];

/** Request methods (RFC 9110 section 9). */
export const methods = rowsOf('RFC 9110', [
  {
    section: '9.1',
    rule: 'An unknown method is refused, with 400 instead of the recommended 501: no client gets a 5xx for its own fault',
    wire: head('FROBNICATE /v1/jobs HTTP/1.1', 'Host: api', 'Connection: close'),
    expect: [{ status: 400, problem: 'bad-request' }],
  },
  {
    section: '9.1',
    rule: 'Methods are case-sensitive: `get` is not GET',
    asked: 'get /healthz',
    answered: '400',
    async run({ connect }) {
      const wire = await connect();
      wire.send(head('get /healthz HTTP/1.1', 'Host: api', 'Connection: close'));
      const { status } = await wire.next();
      assert.equal(status, 400);
    },
  },
  {
    section: '9.3.1',
    rule: 'Content of a GET changes neither its meaning nor the next request',
    wire: `${head('GET /healthz HTTP/1.1', 'Host: api', 'Content-Length: 22')}GET /nowhere HTTP/1.1\n${head('GET /healthz HTTP/1.1', 'Host: api', 'Connection: close')}`,
    expect: [{ status: 200 }, { status: 200 }],
    broken: true, // the parser of this table would take the content for a request, too
  },
  {
    section: '9.3.2',
    rule: 'An answer to HEAD has no content, despite its Content-Length',
    wire:
      head('HEAD /v1/job-types HTTP/1.1', 'Host: api') +
      head('HEAD /nowhere HTTP/1.1', 'Host: api', 'Connection: close'),
    expect: [
      { status: 200, headers: { 'Content-Length': /^\d+$/ } },
      { status: 404, headers: { 'Content-Length': /^\d+$/ } },
    ],
  },
  {
    section: '9.3.2',
    rule: 'HEAD has the status and the header fields of GET, on every path that can be read',
    asked: 'HEAD and GET of each path',
    answered: 'the same status and headers',
    async run({ ask, job }) {
      const { id } = await job('scheduled');
      const ofJob = [`/v1/jobs/${id}`, `/v1/jobs/${id}/result`];
      const others = ['/v1/jobs?tag=none', '/v1/job-types', '/v1/queues', '/healthz', '/readyz', '/metrics', '/docs'];
      const contracts = ['/openapi.json', '/asyncapi.json', '/problems/not-found'];
      for (const path of [...ofJob, ...others, ...contracts, '/nowhere', '/v1/jobs/seven']) {
        const [read, asked] = [await ask({ path }), await ask({ method: 'HEAD', path })];
        const told = ({ headers }: typeof read) =>
          Object.entries(headers)
            .filter(([name]) => !NO_ANSWER_OF_ITS_OWN.includes(name))
            // It counts down, and a second may pass between the two.
            .map(([name, value]) => [name, name === 'retry-after' ? 'seconds' : value]);
        assert.deepEqual([asked.status, ...told(asked)], [read.status, ...told(read)], path);
      }
    },
  },
  {
    section: '8.6',
    rule: 'Content-Length of HEAD is that of GET',
    asked: 'HEAD and GET /v1/job-types',
    answered: 'the same Content-Length',
    async run({ ask }) {
      const path = '/v1/job-types';
      const [read, asked] = [await ask({ path }), await ask({ method: 'HEAD', path })];
      assert.equal(read.headers['content-length'], String(Buffer.byteLength(read.body)));
      assert.equal(asked.headers['content-length'], read.headers['content-length']);
    },
  },
  {
    section: '9.3.5',
    rule: 'A deleted job does not exist any more',
    asked: 'DELETE /v1/jobs/{id}, then GET and DELETE',
    answered: '204, 404, 404',
    async run({ ask, job }) {
      const path = `/v1/jobs/${(await job('cancelled')).id}`;
      const statuses = [];
      for (const method of ['DELETE', 'GET', 'DELETE']) statuses.push((await ask({ method, path })).status);
      assert.deepEqual(statuses, [204, 404, 404]);
    },
  },
  {
    section: '9.3.6',
    rule: 'CONNECT is refused, since the api is no proxy',
    wire: head('CONNECT example.com:443 HTTP/1.1', 'Host: example.com:443'),
    expect: [{ status: 405, problem: 'method-not-allowed', headers: { Allow: '', Connection: 'close' } }],
  },
  {
    section: '9.3.7',
    rule: 'OPTIONS lists the methods of a path in Allow',
    request: { method: 'OPTIONS', path: '/v1/jobs/{unique}' },
    expect: { status: 204, headers: { Allow: 'GET, HEAD, DELETE, OPTIONS' } },
  },
  {
    section: '9.3.8',
    rule: 'TRACE is not implemented, and reflects nothing',
    asked: 'TRACE /v1/jobs, X-Secret: …',
    answered: '405, without the secret',
    async run({ ask, unique }) {
      const answer = await ask({ method: 'TRACE', path: '/v1/jobs', headers: { 'x-secret': unique } });
      assert.equal(answer.status, 405);
      assert.ok(!JSON.stringify(answer).includes(unique), 'it is reflected');
    },
  },
  {
    section: '15.5.5',
    rule: 'An unknown path is answered 404',
    request: { path: '/v2/jobs' },
    expect: { status: 404, problem: 'not-found' },
  },
  {
    section: '15.5.6',
    rule: 'A method that the path does not have is answered 405, with Allow',
    request: { method: 'PUT', path: '/v1/jobs', body: {} },
    expect: { status: 405, problem: 'method-not-allowed', headers: { Allow: 'GET, HEAD, POST, OPTIONS' } },
  },
  {
    section: '10.2.1',
    rule: 'Allow lists exactly the methods that the contract describes, path by path',
    asked: 'PATCH each path of /openapi.json',
    answered: '405, Allow',
    async run({ ask, get, unique }) {
      type Paths = { paths: Record<string, Record<string, unknown>> };
      for (const [pattern, operations] of Object.entries((await get<Paths>({ path: '/openapi.json' })).paths)) {
        const path = pattern.replace(
          /\{(\w+)\}/,
          (_all, name: string) => ({ slug: 'not-found', file: 'page.js' })[name] ?? unique,
        );
        const { status, headers } = await ask({ method: 'PATCH', path });
        const described = Object.keys(operations).map((name) => name.toUpperCase());
        const expected = [...described, ...(described.includes('GET') ? ['HEAD'] : []), 'OPTIONS'];
        assert.equal(status, 405, path);
        assert.deepEqual(headers['allow']?.split(', ').sort(), expected.sort(), path);
      }
    },
  },
]);
