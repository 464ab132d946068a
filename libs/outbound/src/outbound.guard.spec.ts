import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect as connectTcp, type AddressInfo } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Target } from './dial.ts';
import { NetworkFaultError, RefusedTargetError } from './errors.ts';
import { opened, setup, serve, text, offline } from './spec-outbound.ts';

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
    [['10.1.2.3'], /; ALLOW_PRIVATE_TARGETS=true would allow it$/],
    [['93.184.216.34', '::1'], /; ALLOW_PRIVATE_TARGETS=true would allow it$/],
    [['169.254.169.254'], / that no setting allows$/],
    [['10.1.2.3', '169.254.169.254'], / that no setting allows$/],
  ])('names the setting that would allow %j, if there is one', async (addresses, said) => {
    const { outbound } = offline({ 'inside.test': addresses });
    await expect(outbound.request({ url: 'http://inside.test/' }, text)).rejects.toThrow(said);
  });

  it('refuses a name as a whole when one of its addresses is internal, without naming that address', async () => {
    const { outbound, dialled } = offline({ 'mixed.test': ['93.184.216.34', '10.1.2.3'] });
    const refused = await outbound.request({ url: 'http://mixed.test/' }, text).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(RefusedTargetError);
    expect((refused as RefusedTargetError).address).toBe('10.1.2.3');
    expect((refused as RefusedTargetError).message).not.toContain('10.1.2.3');
    expect(dialled).toEqual([]);
  });

  it('connects to the checked addresses under the name, after one lookup', async () => {
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

  it('allows loopback where private targets are allowed, and pins the socket to the checked address', async () => {
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
