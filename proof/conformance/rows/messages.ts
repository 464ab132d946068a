import { rowsOf, type Expected } from '../row.ts';
import { head } from '../wire.ts';

const last = ['Host: api', 'Connection: close'];
const refused: Expected[] = [{ status: 400, problem: 'bad-request', headers: { Connection: 'close' } }];

/** Request line, target and header fields as they are sent (RFC 9112 sections 2 to 5). */
export const messages = rowsOf('RFC 9112', [
  {
    section: '2.2',
    rule: 'An empty line before the request line is ignored',
    wire: `\r\n${head('GET /healthz HTTP/1.1', ...last)}`,
    expect: [{ status: 200 }],
  },
  {
    section: '2.2',
    rule: 'A bare CR in a header field is refused',
    wire: head('GET /healthz HTTP/1.1', 'Host: api', 'X-Request-Id: a\rConnection: close'),
    expect: refused,
    broken: true,
  },
  {
    section: '2.2',
    rule: 'Whitespace between the request line and the first header field is refused',
    wire: head('GET /healthz HTTP/1.1', ' X-Request-Id: mine', ...last),
    expect: refused,
    broken: true,
  },
  {
    section: '2.2',
    rule: 'Bytes that are not HTTP are answered 400, and the connection is closed',
    asked: 'a TLS greeting',
    wire: '\x16\x03\x01\0\xa5\x01\0\0\xa1\x03\x03\r\n\r\n',
    expect: refused,
    broken: true,
  },
  {
    section: '2.3',
    rule: 'The name of the protocol is case-sensitive',
    wire: head('GET /healthz http/1.1', ...last),
    expect: refused,
    broken: true,
  },
  {
    section: '3',
    rule: 'Request lines of 8,000 octets are read',
    asked: 'GET of a target of 8,000 octets',
    wire: head(`GET /v1/jobs?tag=${'%61'.repeat(20)}&cursor=${'a'.repeat(7_915)} HTTP/1.1`, ...last),
    expect: [{ status: 400, problem: 'invalid-request', body: { errors: [{ parameter: 'cursor' }] } }],
  },
  {
    section: '3',
    rule: 'A very long method is refused, with 400 instead of the recommended 501',
    asked: 'a method of 100 letters',
    wire: head(`${'A'.repeat(100)} /healthz HTTP/1.1`, ...last),
    expect: [{ status: 400, problem: 'bad-request' }],
  },
  {
    section: '3.2',
    rule: 'Whitespace in a target is refused',
    wire: head('GET /v1/jobs?tag=a b HTTP/1.1', ...last),
    expect: refused,
    broken: true,
  },
  {
    section: '3.2',
    rule: 'HTTP/1.1 without Host is refused',
    wire: head('GET /healthz HTTP/1.1', 'Connection: close'),
    expect: refused,
  },
  {
    section: '3.2',
    rule: 'More than one Host is refused, even with the same value',
    wire: head('GET /healthz HTTP/1.1', 'Host: api', 'Host: api'),
    expect: refused,
  },
  {
    section: '3.2',
    rule: 'A malformed Host is refused',
    wire: head('GET /healthz HTTP/1.1', 'Host: user@api/path'),
    expect: refused,
  },
  {
    section: '3.2.2',
    rule: 'A target in absolute form takes precedence over Host',
    wire: head('GET http://other.example:8080/v1/jobs?limit=ten HTTP/1.1', ...last),
    expect: [{ status: 400, problem: 'invalid-request', body: { instance: '/v1/jobs?limit=ten' } }],
  },
  {
    section: '3.2.4',
    rule: 'OPTIONS of * concerns the server as a whole',
    wire: head('OPTIONS * HTTP/1.1', ...last),
    expect: [{ status: 204 }],
  },
  {
    section: '3.2.4',
    rule: '* is a target for OPTIONS only',
    wire: head('GET * HTTP/1.1', 'Host: api'),
    expect: refused,
  },
  {
    section: '5.1',
    rule: 'Whitespace between the name of a field and its colon is refused',
    wire: head('GET /healthz HTTP/1.1', 'Host : api'),
    expect: refused,
    broken: true,
  },
  {
    section: '5.1',
    rule: 'A value needs no whitespace before it',
    wire: head('GET /healthz HTTP/1.1', 'Host:api', 'X-Request-Id:mine', 'Connection:close'),
    expect: [{ status: 200, headers: { 'X-Request-Id': 'mine' } }],
  },
  {
    section: '5.2',
    rule: 'A folded line is refused, or its fold read as whitespace',
    asked: 'GET /healthz, X-Request-Id: a⏎ b',
    answered: '400, or not the two parts as one',
    async run({ connect }) {
      const wire = await connect();
      wire.send(head('GET /healthz HTTP/1.1', 'X-Request-Id: folded-', ' line', ...last));
      const { status, headers } = await wire.next();
      const read = status === 200 && headers['x-request-id'] !== 'folded-line';
      if (status !== 400 && !read) throw new Error(`answered ${status} with ${headers['x-request-id']}`);
    },
  },
  {
    section: '5',
    rule: 'A field line without a colon is refused',
    wire: head('GET /healthz HTTP/1.1', 'Host: api', 'what'),
    expect: refused,
    broken: true,
  },
]);
