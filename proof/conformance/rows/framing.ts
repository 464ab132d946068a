import { rowsOf, type Expected } from '../row.ts';
import { sleep } from '../scene.ts';
import { head } from '../wire.ts';

const json = 'Content-Type: application/json';
const last = ['Host: api', 'Connection: close'];
const post = ['POST /v1/jobs HTTP/1.1', 'Host: api', json];
const text = JSON.stringify(sleep);
const size = text.length.toString(16);
const chunks = `${size}\r\n${text}\r\n0\r\n\r\n`;
const refused: Expected[] = [{ status: 400, problem: 'bad-request', headers: { Connection: 'close' } }];
const chunked = 'Transfer-Encoding: chunked';

/** Where a body ends (RFC 9112 sections 6 to 8). */
export const framing = rowsOf('RFC 9112', [
  {
    section: '6.1',
    rule: 'A body in chunks is read',
    wire: `${head(...post, chunked, 'Connection: close')}8\r\n${text.slice(0, 8)}\r\n${(text.length - 8).toString(16)}\r\n${text.slice(8)}\r\n0\r\n\r\n`,
    expect: [{ status: 202, body: sleep }],
  },
  {
    section: '6.1',
    rule: 'Content-Length beside Transfer-Encoding closes the connection, so that no request is smuggled',
    wire: `${head(...post, 'Content-Length: 4', chunked)}${chunks}${head('GET /healthz HTTP/1.1', 'Host: api')}`,
    expect: refused,
    broken: true,
  },
  {
    section: '6.1',
    rule: 'An unknown transfer coding is refused, with 400 instead of the recommended 501',
    wire: `${head(...post, 'Transfer-Encoding: gzip, chunked', 'Connection: close')}${chunks}`,
    expect: [{ status: 400, problem: 'bad-request' }],
  },
  {
    section: '6.1',
    rule: 'Transfer-Encoding in HTTP/1.0 closes the connection, even with keep-alive',
    asked: 'POST /v1/jobs HTTP/1.0, Connection: keep-alive, Transfer-Encoding: chunked; GET /healthz behind it',
    answered: 'one answer, and the connection is closed',
    async run({ connect }) {
      const wire = await connect();
      wire.send(head('POST /v1/jobs HTTP/1.0', json, 'Connection: keep-alive', chunked) + chunks);
      wire.send(head('GET /healthz HTTP/1.0'));
      const statuses = (await wire.rest()).map(({ status }) => status);
      if (statuses.length !== 1) throw new Error(`answered ${statuses.join(', ')}`);
    },
  },
  {
    section: '6.1',
    rule: 'An answer to HTTP/1.0 has no Transfer-Encoding',
    wire: head('GET /docs HTTP/1.0'),
    expect: [{ status: 200, headers: { 'Transfer-Encoding': null, 'Content-Length': /^\d+$/ } }],
  },
  {
    section: '6.3',
    rule: 'A Transfer-Encoding that does not end with chunked is refused',
    wire: `${head(...post, 'Transfer-Encoding: chunked, gzip')}${chunks}`,
    expect: refused,
    broken: true,
  },
  {
    section: '6.3',
    rule: 'A Content-Length that is not a number is refused',
    wire: head(...post, 'Content-Length: +2'),
    expect: refused,
    broken: true,
  },
  {
    section: '6.3',
    rule: 'Two different lengths are refused',
    wire: `${head(...post, `Content-Length: ${text.length}`, 'Content-Length: 4')}${text}`,
    expect: refused,
    broken: true,
  },
  {
    section: '6.3',
    rule: 'Without length and coding there is no body',
    wire: head('POST /v1/jobs/{id}/cancel HTTP/1.1', 'Host: api') + head('GET /healthz HTTP/1.1', ...last),
    given: 'scheduled',
    expect: [{ status: 200, body: { status: 'cancelled' } }, { status: 200 }],
  },
  {
    section: '7',
    rule: 'Names of transfer codings are case-insensitive',
    wire: `${head(...post, 'Transfer-Encoding: Chunked', 'Connection: close')}${chunks}`,
    expect: [{ status: 202 }],
  },
  {
    section: '7.1',
    rule: 'The size of a chunk is hexadecimal in either case, with zeros before it',
    wire: `${head(...post, chunked, 'Connection: close')}00${size.toUpperCase()}\r\n${text}\r\n000\r\n\r\n`,
    expect: [{ status: 202 }],
  },
  {
    section: '7.1',
    rule: 'The size of a chunk does not overflow',
    wire: `${head(...post, chunked)}10000000000000002\r\n{}\r\n0\r\n\r\n`,
    expect: refused,
    broken: true,
  },
  {
    section: '7.1',
    rule: 'A chunk that does not end where it says is refused',
    wire: `${head(...post, chunked)}2\r\n${text}\r\n0\r\n\r\n`,
    expect: refused,
    broken: true,
  },
  {
    section: '7.1.1',
    rule: 'Unknown chunk extensions are ignored',
    wire: `${head(...post, chunked, 'Connection: close')}${size};name=value;quoted="a;b"\r\n${text}\r\n0;last\r\n\r\n`,
    expect: [{ status: 202 }],
  },
  {
    section: '7.1.1',
    rule: 'Chunk extensions without end are refused with a 4xx',
    asked: 'a chunk with an extension of 20,000 octets',
    wire: `${head(...post, chunked)}2;${'x'.repeat(20_000)}\r\n{}\r\n0\r\n\r\n`,
    expect: [{ status: 413, problem: 'body-too-large', headers: { Connection: 'close' } }],
  },
  {
    section: '7.1.2',
    rule: 'Trailer fields do not count as header fields',
    wire: `${head(...post, chunked, 'Connection: close')}${size}\r\n${text}\r\n0\r\nX-Request-Id: from-the-trailer\r\nPrefer: wait=0\r\n\r\n`,
    expect: [{ status: 202, headers: { 'X-Request-Id': /^[0-9a-f-]{36}$/, 'Preference-Applied': null } }],
  },
  {
    section: '8',
    rule: 'A request whose body is cut off is not acted on',
    asked: 'POST /v1/jobs with half of its body, then the end of the connection',
    answered: '400, and no job',
    async run({ connect, get, unique }) {
      const wire = await connect();
      const text = JSON.stringify({ ...sleep, tags: [unique] });
      wire.send(head(...post, `Content-Length: ${text.length + 1}`) + text);
      wire.finish();
      const statuses = (await wire.rest()).map(({ status }) => status);
      if (statuses.join() !== '400') throw new Error(`answered ${statuses.join() || 'nothing'}`);
      const { jobs } = await get<{ jobs: unknown[] }>({ path: `/v1/jobs?tag=${unique}` });
      if (jobs.length > 0) throw new Error('there is a job');
    },
  },
]);
