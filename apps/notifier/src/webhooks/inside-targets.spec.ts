import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect as connectSocket, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Job } from '@offload/jobs';
import { createOutbound, type Outbound } from '@offload/outbound';
import { sendWebhook, type Answer } from './send-webhook.ts';

// Targets that webhooks must not reach. Resolver and connector are the test's own, so even a broken guard sends
// nothing.

const PUBLIC = '93.184.216.34';
const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});

/** A webhook sender whose whole DNS is `names`. Each connection ends at `server`, or fails without one. */
function setup(options: { names?: Record<string, string[][]>; allowPrivateTargets?: boolean; server?: Server } = {}) {
  const { names = {}, allowPrivateTargets = false, server } = options;
  const dialled: (readonly string[])[] = [];
  const asked: string[] = [];
  const outbound: Outbound = createOutbound({
    allowPrivateTargets,
    resolve(name) {
      asked.push(name);
      const answers = names[name] ?? [];
      return Promise.resolve((answers.length > 1 ? answers.shift() : answers[0]) ?? []);
    },
    async connect({ addresses }) {
      dialled.push(addresses);
      if (!server) throw new Error('offline');
      const socket = connectSocket((server.address() as AddressInfo).port, '127.0.0.1');
      await once(socket, 'connect');
      return socket;
    },
  });
  opened.push(outbound.close);
  const send = (url: string): Promise<Answer> =>
    sendWebhook(
      outbound,
      { id: 'id', url, job: {} as Job, secrets: [] },
      { notifierUrl: '', timeoutMs: 5_000, signal: new AbortController().signal },
    );
  return { send, dialled, asked };
}

const literals = [
  ['loopback', 'http://127.0.0.1/'],
  ['loopback, another of its addresses', 'http://127.8.9.10:8080/'],
  ['loopback, short', 'http://127.1/'],
  ['loopback, octal', 'http://0177.0.0.1/'],
  ['loopback, octal as one number', 'http://017700000001/'],
  ['loopback, hexadecimal', 'http://0x7f.0.0.1/'],
  ['loopback, hexadecimal as one number', 'http://0x7f000001/'],
  ['loopback, decimal', 'http://2130706433/'],
  ['loopback, percent-encoded', 'http://%31%32%37.0.0.1/'],
  ['loopback, full-width', 'http://１２７.0.0.1/'],
  ['loopback, circled', 'http://①②⑦.0.0.1/'],
  ['loopback, final dot', 'http://127.0.0.1./'],
  ['loopback, IPv6', 'http://[::1]/'],
  ['loopback, IPv6 in full', 'http://[0:0:0:0:0:0:0:1]/'],
  ['loopback, IPv4-mapped', 'http://[::ffff:127.0.0.1]/'],
  ['loopback, IPv4-mapped in hexadecimal', 'http://[::ffff:7f00:1]/'],
  ['loopback, IPv4-compatible', 'http://[::127.0.0.1]/'],
  ['loopback, NAT64', 'http://[64:ff9b::127.0.0.1]/'],
  ['loopback, 6to4', 'http://[2002:7f00:1::]/'],
  ['this host', 'http://0.0.0.0/'],
  ['this host, short', 'http://0/'],
  ['this network', 'http://0.1.2.3/'],
  ['unspecified, IPv6', 'http://[::]/'],
  ['private 10/8', 'http://10.0.0.1/'],
  ['private 172.16/12', 'http://172.31.255.254/'],
  ['private 192.168/16', 'https://192.168.1.1:8443/'],
  ['private, IPv4-mapped', 'http://[::ffff:10.0.0.1]/'],
  ['carrier-grade NAT', 'http://100.64.0.1/'],
  ['unique local', 'http://[fd00::1]/'],
  ['link-local', 'http://169.254.1.1/'],
  ['link-local, IPv6', 'http://[fe80::1]/'],
  ['site-local', 'http://[fec0::1]/'],
  ['metadata', 'http://169.254.169.254/latest/meta-data/'],
  ['metadata, decimal', 'http://2852039166/'],
  ['metadata, hexadecimal', 'http://0xa9fea9fe/'],
  ['metadata, octal', 'http://0251.0376.0251.0376/'],
  ['metadata, IPv4-mapped', 'http://[::ffff:169.254.169.254]/'],
  ['metadata, IPv6 (AWS)', 'http://[fd00:ec2::254]/'],
  ['metadata, Alibaba', 'http://100.100.100.200/'],
  ['metadata, Azure', 'http://168.63.129.16/'],
  ['metadata, Oracle', 'http://192.0.0.192/'],
  ['multicast', 'http://224.0.0.1/'],
  ['multicast, IPv6', 'http://[ff02::1]/'],
  ['broadcast', 'http://255.255.255.255/'],
  ['reserved', 'http://240.0.0.1/'],
  ['documentation', 'http://192.0.2.1/'],
  ['benchmarking', 'http://198.18.0.1/'],
  ['Teredo', 'http://[2001:0:4136:e378:8000:63bf:80ff:fffe]/'],
  ['ISATAP', 'http://[2001:db8::5efe:7f00:1]/'],
] as const;

const names = [
  ['that is this machine', 'localhost', ['127.0.0.1', '::1']],
  ['with loopback behind it', 'localtest.me', ['127.0.0.1']],
  ['with a private address behind it', 'intranet.example', ['10.1.2.3']],
  ['that contains its address', '192-168-1-1.sslip.io', ['192.168.1.1']],
  ['of a metadata service', 'metadata.google.internal', ['169.254.169.254']],
  ['with a mapped address behind it', 'mapped.example', ['::ffff:127.0.0.1']],
  ['with a scoped address behind it', 'scoped.example', ['fe80::1%eth0']],
  ['with one internal address among others', 'mixed.example', [PUBLIC, '127.0.0.1']],
  ['in capitals', 'LOCALHOST', ['127.0.0.1']],
  ['with a final dot', 'localhost.', ['127.0.0.1']],
] as const;

describe('a webhook is refused without a connection', () => {
  it.each(literals)('for %s: %s', async (_what, url) => {
    const { send, dialled, asked } = setup();
    const answer = await send(url);
    expect(answer).toMatchObject({ kind: 'refused', status: null, hostFailed: null });
    expect(answer.error).toMatch(/ALLOW_PRIVATE_TARGETS=true would allow it|no setting allows/);
    expect([dialled, asked]).toEqual([[], []]);
  });

  it.each(names)('for a name %s: %s', async (_what, name, addresses) => {
    const { send, dialled } = setup({ names: { [name.toLowerCase()]: [[...addresses]] } });
    const answer = await send(`https://${name}/hook`);
    expect(answer).toMatchObject({ kind: 'refused', status: null });
    for (const address of addresses) expect(answer.error).not.toContain(address);
    expect(dialled).toEqual([]);
  });

  it.each(literals.filter(([what]) => /metadata|link-local|multicast|broadcast|unspecified/.test(what)))(
    'for %s even where private targets are allowed: %s',
    async (_what, url) => {
      const { send, dialled } = setup({ allowPrivateTargets: true });
      expect(await send(url)).toMatchObject({ kind: 'refused' });
      expect(dialled).toEqual([]);
    },
  );

  it.each([
    'ftp://example.com/',
    'file:///etc/passwd',
    'http://user:word@example.com/',
    '//example.com/',
    'gopher://a/',
  ])('for other protocols and credentials: %s', async (url) => {
    const { send, dialled } = setup({ names: { 'example.com': [[PUBLIC]] } });
    expect(await send(url)).toMatchObject({ kind: 'refused' });
    expect(dialled).toEqual([]);
  });
});

describe('a name that changes', () => {
  it('between check and connection has no effect: the checked addresses are used', async () => {
    const { send, dialled, asked } = setup({ names: { 'rebinding.example': [[PUBLIC], ['127.0.0.1']] } });
    expect(await send('https://rebinding.example/')).toMatchObject({ kind: 'failed', hostFailed: true });
    expect([asked, dialled]).toEqual([['rebinding.example'], [[PUBLIC]]]);
  });

  it('between two webhooks is refused at the second', async () => {
    const { send, dialled } = setup({ names: { 'rebinding.example': [[PUBLIC], ['169.254.169.254']] } });
    await send('https://rebinding.example/');
    expect(await send('https://rebinding.example/')).toMatchObject({ kind: 'refused' });
    expect(dialled).toEqual([[PUBLIC]]);
  });
});

it.each([301, 302, 303, 307, 308])('a redirect to an internal address (%d) is not followed', async (status) => {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.headers.host}${request.url}`);
    response.writeHead(status, { location: 'http://169.254.169.254/latest/meta-data/' }).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  opened.push(() => (server.closeAllConnections(), server.close()));
  const { send, dialled, asked } = setup({ server, names: { 'receiver.example': [[PUBLIC]] } });
  expect(await send('http://receiver.example/hook')).toMatchObject({ kind: 'failed', status, hostFailed: false });
  expect(requests).toEqual(['POST receiver.example/hook']);
  expect([asked, dialled]).toEqual([['receiver.example'], [[PUBLIC]]]);
});

it.each([
  ['an IPv4 address', 'http://93.184.216.34/'],
  ['an IPv6 address', 'http://[2606:2800:220:1:248:1893:25c8:1946]/'],
  ['a public address, IPv4-mapped', 'http://[::ffff:93.184.216.34]/'],
  ['a public address behind NAT64', 'http://[64:ff9b::93.184.216.34]/'],
  ['a name', 'https://receiver.example:8443/hook?x=1'],
  ['a name in another script', 'https://bücher.example/'],
])('a webhook goes to %s that is public: %s', async (_what, url) => {
  const { send, dialled } = setup({ names: { 'receiver.example': [[PUBLIC]], 'xn--bcher-kva.example': [[PUBLIC]] } });
  expect(await send(url)).toMatchObject({ kind: 'failed', hostFailed: true }); // the test's connector connects nowhere
  expect(dialled).toHaveLength(1);
});

it.each(['http://127.0.0.1:8080/', 'http://10.0.0.1/', 'http://[::1]/', 'http://[fd00::1]/'])(
  'a webhook goes to a private target where these are allowed: %s',
  async (url) => {
    const { send, dialled } = setup({ allowPrivateTargets: true });
    await send(url);
    expect(dialled).toHaveLength(1);
  },
);
