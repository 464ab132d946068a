import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';

import { afterEach, expect, it } from '@jest/globals';

import { testCertificates } from './test-certificates.ts';

const { ca, certificate: cert, key } = testCertificates();
const server = createServer({ cert, key }).on('tlsClientError', () => undefined);
let client: TLSSocket | undefined;
afterEach(async () => {
  client?.destroy();
  server.close();
});

async function connectTrusting(authority: string): Promise<void> {
  if (!server.listening) await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  client = connect({ host: '127.0.0.1', port, ca: authority });
  await once(client, 'secureConnect');
}

it('is accepted by a client that trusts its authority', async () => {
  await connectTrusting(ca);
  expect(client?.authorized).toBe(true);
});

it('is refused by a client that trusts another authority', async () => {
  await expect(connectTrusting(testCertificates().ca)).rejects.toThrow('certificate');
});

it('names this machine only', () => {
  const certificate = new X509Certificate(cert);
  expect([certificate.checkHost('localhost'), certificate.checkIP('127.0.0.1')]).toEqual(['localhost', '127.0.0.1']);
  expect(certificate.checkHost('broker.example')).toBeUndefined();
});
