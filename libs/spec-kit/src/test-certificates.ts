import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';

/** PEM texts: a server's certificate with its key, and its authority. */
export interface TestCertificates {
  /** Certificate of the authority, which clients must trust. */
  ca: string;
  /** The server's certificate, for `127.0.0.1` and `localhost`. */
  certificate: string;
  /** The server's private key (PKCS #8). */
  key: string;
}

const DAY_MS = 24 * 60 * 60 * 1_000;

/**
 * Issues a server's certificate that is valid for a day. Each call makes a new authority, which other clients do not
 * trust. It encodes the certificates itself (RFC 5280), because Node.js can't issue them and not every machine has
 * openssl.
 */
export function testCertificates(): TestCertificates {
  const [authority, server] = [newKeys(), newKeys()];
  const constraints = extension('551d13', sequence(der(0x01, Buffer.of(0xff)))); // an authority
  const names = sequence(der(0x82, Buffer.from('localhost')), der(0x87, Buffer.of(127, 0, 0, 1)));
  return {
    ca: certificate('Offload test authority', authority.publicKey, constraints, authority.privateKey),
    certificate: certificate('localhost', server.publicKey, extension('551d11', names), authority.privateKey),
    key: server.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  };
}

const newKeys = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });

function certificate(subject: string, subjectKey: KeyObject, extensions: Buffer, issuerKey: KeyObject): string {
  const ecdsaWithSha256 = sequence(identifier('2a8648ce3d040302'));
  const body = sequence(
    der(0xa0, der(0x02, Buffer.of(2))), // version 3
    der(0x02, Buffer.concat([Buffer.of(1), randomBytes(15)])), // the serial number, positive
    ecdsaWithSha256,
    commonName('Offload test authority'),
    sequence(time(Date.now() - DAY_MS), time(Date.now() + DAY_MS)),
    commonName(subject),
    subjectKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(extensions)),
  );
  const signature = der(0x03, Buffer.of(0), sign('sha256', body, issuerKey)); // no unused bits
  const base64 = sequence(body, ecdsaWithSha256, signature).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`;
}

/** Encodes an ASN.1 value by the distinguished rules (DER): tag, length, contents. */
function der(tag: number, ...contents: Buffer[]): Buffer {
  const { length } = Buffer.concat(contents);
  const lengthBytes = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...lengthBytes), ...contents]);
}

const sequence = (...contents: Buffer[]) => der(0x30, ...contents);
const identifier = (hex: string) => der(0x06, Buffer.from(hex, 'hex'));
const commonName = (name: string) => sequence(der(0x31, sequence(identifier('550403'), der(0x0c, Buffer.from(name)))));
const time = (ms: number) => der(0x17, Buffer.from(`${new Date(ms).toISOString().replace(/\D/g, '').slice(2, 14)}Z`));
const critical = der(0x01, Buffer.of(0xff));
const extension = (id: string, value: Buffer) => sequence(identifier(id), critical, der(0x04, value));
