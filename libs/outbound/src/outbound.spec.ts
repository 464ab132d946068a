import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { connect as connectTcp, createServer as createTcpServer, type AddressInfo } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { Target } from './dial.ts';
import {
  InvalidRequestError,
  NetworkFaultError,
  RefusedTargetError,
  ResponseTooLargeError,
  UnsupportedCodingError,
} from './errors.ts';
import { createOutbound, type Outbound, type OutboundOptions, type OutboundResponse } from './outbound.ts';
import type { OutboundRequest } from './request.ts';

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each.close()));
});

function setup(options: OutboundOptions = { allowPrivateTargets: true }): Outbound {
  const outbound = createOutbound(options);
  opened.push(outbound);
  return outbound;
}

async function serve(listener: RequestListener): Promise<{ url: string; port: number; server: Server }> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  opened.push({ close: () => (server.closeAllConnections(), server.close()) });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, port, server };
}

/** A server that answers with `octets`, whether that is HTTP or not. */
async function serveOctets(octets: string): Promise<string> {
  const server = createTcpServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(octets, 'latin1'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  opened.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const text = async (response: OutboundResponse) => Buffer.from(await response.bytes()).toString();

/** An outbound that sends nothing: `names` is its whole DNS, and connections are only recorded. */
function offline(names: Record<string, string[]>, allowPrivateTargets = false) {
  const dialled: Target[] = [];
  const outbound = setup({
    allowPrivateTargets,
    resolve: (hostname) => Promise.resolve(names[hostname] ?? []),
    connect: (target) => {
      dialled.push(target);
      return Promise.reject(new Error('offline'));
    },
  });
  return { outbound, dialled };
}

const inside = [
  'http://127.0.0.1/',
  'http://127.1/',
  'http://0177.0.0.1/',
  'http://0x7f.0.0.1/',
  'http://0x7f000001/',
  'http://2130706433/',
  'http://017700000001/',
  'http://127.0.0.1./',
  'http://%31%32%37.0.0.1/',
  'http://127。0。0。1/',
  'http://①②⑦.0.0.1/',
  'http://0/',
  'http://0.0.0.0:8080/',
  'http://10.0.0.1/',
  'http://10.1/',
  'http://172.16.254.1/',
  'http://192.168.0.1/',
  'http://100.64.1.1/',
  'http://[::1]/',
  'http://[0:0:0:0:0:0:0:1]/',
  'http://[fd00::1]/',
  'http://[::ffff:127.0.0.1]/',
  'http://[::ffff:7f00:1]/',
  'http://[64:ff9b::a00:1]/',
];
const never = [
  'http://169.254.169.254/latest/meta-data/',
  'http://0xa9fea9fe/',
  'http://2852039166/',
  'http://[fe80::1]/',
  'http://[fd00:ec2::254]/',
  'http://100.100.100.200/',
  'http://168.63.129.16/',
  'http://224.0.0.1/',
  'http://255.255.255.255/',
  'http://[::]/',
  'http://[::127.0.0.1]/',
  'http://[::ffff:169.254.169.254]/',
  'http://[64:ff9b::169.254.169.254]/',
  'http://[2002:7f00:1::]/',
  'http://[2001:0:4136:e378:8000:63bf:80ff:fffe]/',
  'http://[ff02::1]/',
];

describe('the guard', () => {
  it.each([...inside, ...never])('refuses %s and connects nowhere', async (url) => {
    const { outbound, dialled } = offline({});
    await expect(outbound.request({ url }, text)).rejects.toThrow(RefusedTargetError);
    expect(dialled).toEqual([]);
  });

  it.each(never)('refuses %s also where private targets are allowed', async (url) => {
    const { outbound, dialled } = offline({}, true);
    await expect(outbound.request({ url }, text)).rejects.toThrow(RefusedTargetError);
    expect(dialled).toEqual([]);
  });

  it.each([
    [['10.1.2.3'], /; ALLOW_PRIVATE_TARGETS=true would let it through$/],
    [['93.184.216.34', '::1'], /; ALLOW_PRIVATE_TARGETS=true would let it through$/],
    [['169.254.169.254'], / that no setting lets through$/],
    [['10.1.2.3', '169.254.169.254'], / that no setting lets through$/],
  ])('names the setting that would let %j through, where one would', async (addresses, said) => {
    const { outbound } = offline({ 'inside.test': addresses });
    await expect(outbound.request({ url: 'http://inside.test/' }, text)).rejects.toThrow(said);
  });

  it('refuses a name as a whole when one of its addresses is inside, without telling which', async () => {
    const { outbound, dialled } = offline({ 'mixed.test': ['93.184.216.34', '10.1.2.3'] });
    const refused = await outbound.request({ url: 'http://mixed.test/' }, text).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(RefusedTargetError);
    expect((refused as RefusedTargetError).address).toBe('10.1.2.3');
    expect((refused as RefusedTargetError).message).not.toContain('10.1.2.3');
    expect(dialled).toEqual([]);
  });

  it('connects to the checked addresses under the name, and asks the resolver once', async () => {
    let asked = 0;
    const dialled: Target[] = [];
    const outbound = setup({
      resolve: () => Promise.resolve([++asked === 1 ? '93.184.216.34' : '127.0.0.1']),
      connect: (target) => {
        dialled.push(target);
        return Promise.reject(new Error('offline'));
      },
    });
    await expect(outbound.request({ url: 'https://rebinding.test:8443/' }, text)).rejects.toThrow(NetworkFaultError);
    expect(asked).toBe(1);
    expect(dialled).toEqual([
      {
        protocol: 'https:',
        hostname: 'rebinding.test',
        port: '8443',
        servername: 'rebinding.test',
        addresses: ['93.184.216.34'],
      },
    ]);
  });

  it('checks again for each new connection', async () => {
    const { port } = await serve((_request, response) => response.setHeader('connection', 'close').end('first'));
    const answers = ['93.184.216.34', '127.0.0.1'];
    const outbound = setup({
      resolve: () => Promise.resolve([answers.shift() ?? '']),
      connect: () => Promise.resolve(connectTcp(port, '127.0.0.1')),
    });
    await expect(outbound.request({ url: 'http://rebinding.test/' }, text)).resolves.toBe('first');
    await expect(outbound.request({ url: 'http://rebinding.test/' }, text)).rejects.toThrow(RefusedTargetError);
  });

  it('lets loopback through where private targets are allowed, the socket pinned to what was checked', async () => {
    const { port } = await serve((request, response) => response.end(request.headers.host));
    const outbound = setup({ allowPrivateTargets: true, resolve: () => Promise.resolve(['127.0.0.1']) });
    await expect(outbound.request({ url: `http://only.here.test:${port}/` }, text)).resolves.toBe(
      `only.here.test:${port}`,
    );
  });

  it('asks TLS for the name, not for the address', async () => {
    const asked: string[] = [];
    const server = createTlsServer({ SNICallback: (name, callback) => (asked.push(name), callback(null)) });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    opened.push(server);
    const outbound = setup({ allowPrivateTargets: true, resolve: () => Promise.resolve(['127.0.0.1']) });
    const { port } = server.address() as AddressInfo;
    // The server has no certificate, so the handshake ends there.
    await expect(outbound.request({ url: `https://secure.test.:${port}/` }, text)).rejects.toThrow(NetworkFaultError);
    expect(asked).toEqual(['secure.test']);
  });

  it('tries the next address when one does not answer', async () => {
    const { port } = await serve((_request, response) => response.end('reached'));
    const outbound = setup({ allowPrivateTargets: true, resolve: () => Promise.resolve(['::1', '127.0.0.1']) });
    await expect(outbound.request({ url: `http://both.test:${port}/` }, text)).resolves.toBe('reached');
  });
});

describe('a request', () => {
  it.each(['ftp://example.com/', 'file:///etc/passwd', 'example.com', '', 'http://', 'http://me:secret@example.com/'])(
    'with the URL "%s" is invalid',
    async (url) => {
      const { outbound } = offline({});
      await expect(outbound.request({ url }, text)).rejects.toThrow(InvalidRequestError);
    },
  );

  it.each<Partial<OutboundRequest>>([
    { headers: { 'Content-Length': '5' } },
    { headers: { 'transfer-encoding': 'chunked' } },
    { headers: { Connection: 'close' } },
    { headers: { host: 'other.test' } },
    { headers: { upgrade: 'websocket' } },
    { headers: { 'x-a': '1', 'X-A': '2' } },
    { headers: { 'x-a': 'line\r\nbreak: 1' } },
    { headers: { 'x a': '1' } },
    { method: 'CONNECT' },
    { method: 'no token' },
    { timeoutMs: 2 ** 31 },
    { timeoutMs: Infinity },
    { timeoutMs: -1 },
  ])('that HTTP or a timer cannot carry is invalid: %j', async (part) => {
    const { url } = await serve((_request, response) => response.end());
    await expect(setup().request({ url, ...part }, text)).rejects.toThrow(InvalidRequestError);
  });

  it('carries method, headers and body', async () => {
    const { url } = await serve(async (request, response) => {
      const body = Buffer.concat(await request.toArray()).toString();
      const { method, headers } = request;
      response.end(JSON.stringify({ method, body, a: headers['x-a'], accept: headers['accept-encoding'] }));
    });
    for (const method of ['POST', 'GET', 'DELETE', 'PURGE']) {
      const answer = await setup().request({ url, method, headers: { 'X-A': 'ä' }, body: 'größer' }, text);
      expect(JSON.parse(answer)).toEqual({ method, body: 'größer', a: 'ä', accept: 'identity' });
    }
  });

  it('says what sends it, unless its headers do', async () => {
    const { url } = await serve((request, response) => response.end(request.headers['user-agent']));
    await expect(setup().request({ url }, text)).resolves.toMatch(/^Offload\/\d+\.\d+\.\d+$/);
    await expect(setup().request({ url, headers: { 'User-AGENT': 'mine' } }, text)).resolves.toBe('mine');
  });

  it('carries a header named __proto__', async () => {
    const { url } = await serve((request, response) => response.end(request.rawHeaders.join(' ')));
    const headers = JSON.parse('{"__proto__":"a","constructor":"b"}') as Record<string, string>;
    await expect(setup().request({ url, headers }, text)).resolves.toContain('__proto__ a constructor b');
  });

  it('does not follow redirects', async () => {
    const { url } = await serve((_request, response) => response.writeHead(302, { location: '/elsewhere' }).end());
    const answer = await setup().request({ url }, ({ status, headers }) => [status, headers.location]);
    expect(answer).toEqual([302, '/elsewhere']);
  });

  it('is broken off at once by its signal, with the reason', async () => {
    const { url } = await serve(() => controller.abort(new Error('stop')));
    const controller = new AbortController();
    await expect(setup().request({ url, signal: controller.signal }, text)).rejects.toThrow('stop');
    await expect(setup().request({ url, signal: controller.signal }, text)).rejects.toThrow('stop');
  });

  it('is broken off while its response is read', async () => {
    const { url } = await serve((_request, response) => response.write('begun'));
    const controller = new AbortController();
    const reading = setup().request({ url, signal: controller.signal }, async ({ body }) => {
      for await (const chunk of body) {
        expect(Buffer.from(chunk).toString()).toBe('begun');
        controller.abort(new Error('stop'));
      }
    });
    await expect(reading).rejects.toThrow('stop');
  });

  it('fails as a network fault when it takes too long, also in the middle of the response', async () => {
    const { url } = await serve((request, response) => void (request.url === '/begun' && response.write('begun')));
    await expect(setup().request({ url, timeoutMs: 30 }, text)).rejects.toThrow('longer than 30 ms');
    await expect(setup().request({ url: `${url}begun`, timeoutMs: 30 }, text)).rejects.toThrow(NetworkFaultError);
  });

  it.each([
    ['an unknown name', { resolve: () => Promise.reject(new Error('getaddrinfo ENOTFOUND')) }],
    ['a name that fails at length', { resolve: () => Promise.reject(new Error('one line\r\n\n  and another\n')) }],
    ['a name without addresses', { resolve: () => Promise.resolve([]) }],
    ['a resolver that hangs', { connectTimeoutMs: 20, resolve: () => new Promise<string[]>(() => undefined) }],
  ])('to %s is a network fault that is told in one line', async (_title, options) => {
    const failed = await setup(options)
      .request({ url: 'http://nowhere.test/' }, text)
      .catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(NetworkFaultError);
    expect((failed as Error).message).toMatch(/^the request to nowhere\.test failed: .*\S$/);
  });

  it('shares a lookup that is under way with all others of its name, and holds up no other name', async () => {
    const asked: string[] = [];
    const hanging = new Promise<string[]>(() => undefined);
    const outbound = setup({
      connectTimeoutMs: 50,
      resolve: (hostname) => {
        asked.push(hostname);
        return hostname === 'hangs.test' ? hanging : Promise.reject(new Error(`no ${hostname}, ${asked.length}`));
      },
    });
    const toHanging = () =>
      outbound.request({ url: 'http://hangs.test/' }, text).catch((error: Error) => error.message);
    const other = () => outbound.request({ url: 'http://other.test/' }, text).catch((error: Error) => error.message);
    const late = "the request to hangs.test failed: the name didn't resolve within 50 ms";
    expect(await Promise.all(Array.from({ length: 10 }, toHanging))).toEqual(Array(10).fill(late));
    expect(await toHanging()).toBe(late);
    expect(asked).toEqual(['hangs.test']);
    expect(await other()).toContain('no other.test, 2');
    expect(await other()).toContain('no other.test, 3'); // a lookup that has ended is over
  });

  it('to a closed port, or one where the connection breaks off, is a network fault with its cause', async () => {
    const { url, server } = await serve((request) => request.socket.destroy());
    await expect(setup().request({ url }, text)).rejects.toThrow(NetworkFaultError);
    server.close();
    await once(server, 'close');
    await expect(setup().request({ url }, text)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
  });
});

describe('a response', () => {
  it('joins the values of one header and has names in lower case', async () => {
    const { url } = await serve((_request, response) => response.setHeader('X-Many', ['a', 'b']).end());
    const headers = await setup().request({ url }, (response) => response.headers);
    expect(headers).toMatchObject({ 'x-many': 'a, b' });
  });

  it('keeps the lines of Set-Cookie apart', async () => {
    const cookies = ['a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT', 'b=2'];
    const { url } = await serve((_request, response) => response.setHeader('Set-Cookie', cookies).end());
    const { headers, setCookie } = await setup().request({ url }, (response) => response);
    expect(setCookie).toEqual(cookies);
    expect(headers).not.toHaveProperty('set-cookie');
    const one = await serve((_request, response) => response.setHeader('Set-Cookie', 'b=2').end());
    await expect(setup().request({ url: one.url }, (response) => response.setCookie)).resolves.toEqual(['b=2']);
  });

  it.each(['__proto__', 'constructor', 'hasOwnProperty'])('takes a header named %s for any other', async (name) => {
    const { url } = await serve((_request, response) => response.setHeader(name, ['a', 'b']).end());
    const headers = await setup().request({ url, headers: { 'x-a': 'a' } }, (response) => response.headers);
    expect(Object.entries(headers)).toContainEqual([name.toLowerCase(), 'a, b']);
    expect(Object.getPrototypeOf(headers)).toBe(Object.prototype);
  });

  it('is decoded, also where HEAD names a coding without content', async () => {
    const { url } = await serve((request, response) => {
      response.setHeader('content-encoding', 'gzip, br');
      response.end(request.method === 'HEAD' ? undefined : brotliCompressSync(gzipSync('plain')));
    });
    await expect(setup().request({ url }, text)).resolves.toBe('plain');
    await expect(setup().request({ url, method: 'HEAD' }, text)).resolves.toBe('');
  });

  it('is decoded where its transfer is coded, which no request asks for', async () => {
    const coded = gzipSync('plain').toString('latin1');
    const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n';
    const url = await serveOctets(`${head}${coded.length.toString(16)}\r\n${coded}\r\n0\r\n\r\n`);
    await expect(setup().request({ url }, text)).resolves.toBe('plain');
  });

  it.each([204, 304])('of %d may name any coding', async (status) => {
    const { url } = await serve((_request, response) =>
      response.writeHead(status, { 'content-encoding': 'zstd' }).end(),
    );
    await expect(setup().request({ url }, text)).resolves.toBe('');
  });

  it('with a coding that is not known is refused only when it is read', async () => {
    const { url } = await serve((_request, response) => response.setHeader('content-encoding', 'zstd').end('coded'));
    await expect(setup().request({ url }, text)).rejects.toThrow(UnsupportedCodingError);
    await expect(setup().request({ url }, ({ status }) => status)).resolves.toBe(200);
  });

  it.each([
    ['has a long line', `x: ${'y'.repeat(20_000)}\r\n`],
    ['has many lines', 'x: y\r\n'.repeat(10_000)],
    ['has a long name', `${'x'.repeat(20_000)}: y\r\n`],
  ])('whose head %s is too large', async (_title, lines) => {
    const url = await serveOctets(`HTTP/1.1 200 OK\r\nContent-Length: 0\r\n${lines}\r\n`);
    const failed = await setup()
      .request({ url }, text)
      .catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(ResponseTooLargeError);
    expect((failed as Error).message).toBe("the response's head is longer than 16384 bytes");
  });

  it('whose trailers are too large is too large', async () => {
    const trailers = 'x: y\r\n'.repeat(10_000);
    const url = await serveOctets(
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n${trailers}\r\n`,
    );
    await expect(setup().request({ url }, text)).rejects.toThrow(ResponseTooLargeError);
  });

  it('has header values as they came, byte by byte', async () => {
    const url = await serveOctets('HTTP/1.1 200 OK\r\nX-A: \xfc\xff\x80\r\nContent-Length: 0\r\n\r\n');
    await expect(setup().request({ url }, ({ headers }) => headers['x-a'])).resolves.toBe('\xfc\xff\x80');
  });

  it('that is not coded as it says is refused, and a network fault where its coding breaks off', async () => {
    const gzip = gzipSync('text');
    const { url } = await serve((request, response) =>
      response.setHeader('content-encoding', 'gzip').end(request.url === '/short' ? gzip.subarray(0, -5) : 'no gzip'),
    );
    await expect(setup().request({ url }, text)).rejects.toThrow(UnsupportedCodingError);
    const short = setup().request({ url: new URL('/short', url).href }, text);
    await expect(short).rejects.toThrow(NetworkFaultError);
    await expect(short).rejects.toThrow(/failed: the response, coded as "gzip", breaks off$/);
  });

  it('up to the limit is read, one byte more is too large, a bomb too', async () => {
    const { url } = await serve((request, response) => {
      const bomb = request.url === '/bomb';
      response.setHeader('content-encoding', bomb ? 'gzip' : 'identity');
      response.end(bomb ? gzipSync(Buffer.alloc(10_000_000)) : 'x'.repeat(1_000));
    });
    await expect(setup().request({ url, maxBytes: 1_000 }, text)).resolves.toHaveLength(1_000);
    await expect(setup().request({ url, maxBytes: 999 }, text)).rejects.toThrow(ResponseTooLargeError);
    await expect(setup().request({ url: `${url}bomb` }, text)).rejects.toThrow(ResponseTooLargeError);
  });

  it('that is cut short is a network fault', async () => {
    const { url } = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('half', () => response.destroy());
    });
    await expect(setup().request({ url }, text)).rejects.toThrow(NetworkFaultError);
  });

  it.each([
    ['has the status 000', 'HTTP/1.1 000 Zero\r\nContent-Length: 0\r\n\r\n'],
    ['has the status 99', 'HTTP/1.1 99 Low\r\nContent-Length: 0\r\n\r\n'],
    ['is of another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['folds a header', 'HTTP/1.1 200 OK\r\nX-A: a\r\n b\r\nContent-Length: 0\r\n\r\n'],
    ['has a NUL in a header', 'HTTP/1.1 200 OK\r\nX-A: a\0b\r\nContent-Length: 0\r\n\r\n'],
    ['has a broken header', 'HTTP/1.1 200 OK\r\nno header\r\n\r\n'],
    ['has a broken chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
  ])('that %s is a network fault that says so in one line', async (_title, octets) => {
    const url = await serveOctets(octets);
    const failed = await setup()
      .request({ url }, text)
      .catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(NetworkFaultError);
    expect((failed as Error).message).toBe(
      `the request to ${new URL(url).host} failed: what came back is no HTTP response`,
    );
  });

  it('left unread holds nothing up', async () => {
    const { url } = await serve((_request, response) => response.writeHead(200).write('endless'));
    const outbound = setup();
    await expect(outbound.request({ url }, ({ status }) => status)).resolves.toBe(200);
    await expect(outbound.request({ url }, ({ status }) => status)).resolves.toBe(200);
  });

  it('passes on what reading it threw', async () => {
    const { url } = await serve((_request, response) => response.end('x'));
    const failing = setup().request({ url }, () => Promise.reject(new Error('of the reader')));
    await expect(failing).rejects.toThrow('of the reader');
  });
});

it('breaks off what is under way when it is closed', async () => {
  const { url } = await serve(() => void outbound.close());
  const outbound = setup();
  await expect(outbound.request({ url }, text)).rejects.toThrow(NetworkFaultError);
});

it.each([
  ['before it was asked for anything', false],
  ['after it was', true],
])('sends nothing any more once it is closed, %s', async (_when, used) => {
  let requests = 0;
  const { url } = await serve((_request, response) => {
    requests += 1;
    response.end();
  });
  const outbound = setup();
  if (used) await outbound.request({ url }, () => undefined);
  await outbound.close();
  await expect(outbound.request({ url }, () => undefined)).rejects.toThrow(NetworkFaultError);
  expect(requests).toBe(used ? 1 : 0);
});
