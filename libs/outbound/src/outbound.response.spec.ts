import { describe, expect, it } from '@jest/globals';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { NetworkFaultError, ResponseTooLargeError, UnsupportedCodingError } from './errors.ts';
import { setup, serve, serveOctets, text } from './spec-outbound.ts';

describe('a response', () => {
  it('joins the values of one header and has names in lower case', async () => {
    const { url } = await serve((_request, response) => response.setHeader('X-Many', ['a', 'b']).end());
    const headers = await setup().request({ url }, (response) => response.headers);
    expect(headers).toMatchObject({ 'x-many': 'a, b' });
  });

  it('keeps the lines of Set-Cookie separate', async () => {
    const cookies = ['a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT', 'b=2'];
    const { url } = await serve((_request, response) => response.setHeader('Set-Cookie', cookies).end());
    const { headers, setCookie } = await setup().request({ url }, (response) => response);
    expect(setCookie).toEqual(cookies);
    expect(headers).not.toHaveProperty('set-cookie');
    const one = await serve((_request, response) => response.setHeader('Set-Cookie', 'b=2').end());
    await expect(setup().request({ url: one.url }, (response) => response.setCookie)).resolves.toEqual(['b=2']);
  });

  it.each(['__proto__', 'constructor', 'hasOwnProperty'])('treats a header named %s like any other', async (name) => {
    const { url } = await serve((_request, response) => response.setHeader(name, ['a', 'b']).end());
    const headers = await setup().request({ url, headers: { 'x-a': 'a' } }, (response) => response.headers);
    expect(Object.entries(headers)).toContainEqual([name.toLowerCase(), 'a, b']);
    expect(Object.getPrototypeOf(headers)).toBe(Object.prototype);
  });

  it('is decoded, also where an answer to HEAD names a coding without content', async () => {
    const { url } = await serve((request, response) => {
      response.setHeader('content-encoding', 'gzip, br');
      response.end(request.method === 'HEAD' ? undefined : brotliCompressSync(gzipSync('plain')));
    });
    await expect(setup().request({ url }, text)).resolves.toBe('plain');
    await expect(setup().request({ url, method: 'HEAD' }, text)).resolves.toBe('');
  });

  it('is decoded where its transfer is coded, though no request asks for that', async () => {
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

  it('has header values as received, byte by byte', async () => {
    const url = await serveOctets('HTTP/1.1 200 OK\r\nX-A: \xfc\xff\x80\r\nContent-Length: 0\r\n\r\n');
    await expect(setup().request({ url }, ({ headers }) => headers['x-a'])).resolves.toBe('\xfc\xff\x80');
  });

  it('that is not coded as it says is refused, and one that breaks off is a network fault', async () => {
    const gzip = gzipSync('text');
    const { url } = await serve((request, response) =>
      response.setHeader('content-encoding', 'gzip').end(request.url === '/short' ? gzip.subarray(0, -5) : 'no gzip'),
    );
    await expect(setup().request({ url }, text)).rejects.toThrow(UnsupportedCodingError);
    const short = setup().request({ url: new URL('/short', url).href }, text);
    await expect(short).rejects.toThrow(NetworkFaultError);
    await expect(short).rejects.toThrow(/failed: the response, coded as "gzip", breaks off$/);
  });

  it('up to the limit is read; one byte more is too large, and so is a decompression bomb', async () => {
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
  ])('that %s is a network fault with a message of one line', async (_title, octets) => {
    const url = await serveOctets(octets);
    const failed = await setup()
      .request({ url }, text)
      .catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(NetworkFaultError);
    expect((failed as Error).message).toBe(`the request to ${new URL(url).host} failed: the response is not HTTP`);
  });

  it('left unread does not block the connection', async () => {
    const { url } = await serve((_request, response) => response.writeHead(200).write('endless'));
    const outbound = setup();
    await expect(outbound.request({ url }, ({ status }) => status)).resolves.toBe(200);
    await expect(outbound.request({ url }, ({ status }) => status)).resolves.toBe(200);
  });

  it('rejects with the error of its reader', async () => {
    const { url } = await serve((_request, response) => response.end('x'));
    const failing = setup().request({ url }, () => Promise.reject(new Error('of the reader')));
    await expect(failing).rejects.toThrow('of the reader');
  });
});
