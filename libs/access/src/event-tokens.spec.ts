import { createHmac } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { apiKeys, newApiKey } from './api-keys.ts';
import { createEventTokens, eventTokensFor } from './event-tokens.ts';

const secret = 's'.repeat(32);
const tokens = createEventTokens([secret]);
const jobId = '01890000-0000-7000-8000-000000000000';

const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
const now = (): number => Math.floor(Date.now() / 1_000);

/** A token that the library would not issue. */
function forge({ header = {}, claims = {}, key = secret, hash = 'sha256' } = {}): string {
  const good = { iss: 'offload:api', aud: 'offload:events', sub: 'web', iat: now(), exp: now() + 60 };
  const signed = `${encode({ alg: 'HS256', typ: 'JWT', ...header })}.${encode({ ...good, ...claims })}`;
  return `${signed}.${createHmac(hash, key).update(signed).digest('base64url')}`;
}

it('reads tokens that it has issued, for all jobs or for one', async () => {
  const { token, expiresAt } = await tokens.issue({ client: 'web' }, 60);
  expect(await tokens.read(token)).toEqual({ client: 'web', jobId: undefined });
  expect(expiresAt.getTime()).toBe((decodeJwt(token).exp as number) * 1_000);
  expect(Math.abs(expiresAt.getTime() - Date.now() - 60_000)).toBeLessThan(5_000);
  const one = await tokens.issue({ client: 'web', jobId }, 60);
  expect(await tokens.read(one.token)).toEqual({ client: 'web', jobId });
  expect(decodeProtectedHeader(token)).toEqual({ alg: 'HS256', typ: 'JWT' });
});

it('accepts a forged token with the right secret, so that those below fail for the right reason', async () => {
  expect(await tokens.read(forge())).toEqual({ client: 'web', jobId: undefined });
});

it('tolerates clocks that differ by some seconds', async () => {
  expect(await tokens.read(forge({ claims: { exp: now() - 2 } }))).toMatchObject({ client: 'web' });
  expect(await tokens.read(forge({ claims: { exp: now() - 10 } }))).toBe('expired');
});

it.each([
  ['without a signature', () => `${encode({ alg: 'none' })}.${encode({ sub: 'web', exp: now() + 60 })}.`],
  ['that says it has no algorithm', () => forge({ header: { alg: 'none' } })],
  ['of another algorithm, truly signed', () => forge({ header: { alg: 'HS512' }, hash: 'sha512' })],
  ['of an asymmetric algorithm', () => forge({ header: { alg: 'RS256' } })],
  ['with an extension that must be understood', () => forge({ header: { crit: ['x'], x: 1 } })],
  ['with another secret', () => forge({ key: 'x'.repeat(32) })],
  ['with no secret', () => forge({ key: '' })],
  ['for another audience', () => forge({ claims: { aud: 'offload:api' } })],
  ['of another issuer', () => forge({ claims: { iss: 'another' } })],
  ['that never expires', () => forge({ claims: { exp: undefined } })],
  ['whose expiry is no time', () => forge({ claims: { exp: 'tomorrow' } })],
  ['that is not valid yet', () => forge({ claims: { nbf: now() + 60 } })],
  ['without a client', () => forge({ claims: { sub: undefined } })],
  ['whose client is no name', () => forge({ claims: { sub: 7 } })],
  ['whose job is no id', () => forge({ claims: { job: { id: jobId } } })],
  ['that is cut', () => forge().slice(0, -1)],
  ['with characters added', () => `${forge()}A`],
  [
    'with another claim than was signed',
    () => forge().replace(/\.[^.]+\./, `.${encode({ sub: 'root', exp: now() + 9 })}.`),
  ],
  ['that is any word', () => 'token'],
  ['that is empty', () => ''],
  ['of dots', () => '../../http'],
  ['of five parts', () => `${forge()}.a.b`],
])('refuses a token %s', async (_what, make) => {
  expect(await tokens.read(make())).toBe('invalid');
});

it('does not say that a token with another secret has expired', async () => {
  expect(await tokens.read(forge({ key: 'x'.repeat(32), claims: { exp: 1 } }))).toBe('invalid');
});

it('accepts two secrets during a rotation, and signs with the first', async () => {
  const next = 'n'.repeat(32);
  const rotating = createEventTokens([next, secret]);
  const [old, fresh] = [await tokens.issue({ client: 'web' }, 60), await rotating.issue({ client: 'web' }, 60)];
  expect(await rotating.read(old.token)).toMatchObject({ client: 'web' });
  expect(await rotating.read(fresh.token)).toMatchObject({ client: 'web' });
  expect(await rotating.read(forge({ claims: { exp: 1 } }))).toBe('expired');
  expect(await createEventTokens([next]).read(fresh.token)).toMatchObject({ client: 'web' });
  expect(await createEventTokens([next]).read(old.token)).toBe('invalid');
});

it('needs a secret with API keys, and makes one without', async () => {
  const keys = apiKeys.parse(newApiKey('web', ['read']).entry);
  expect(eventTokensFor(keys, [])).toBeNull();
  const { token } = (await eventTokensFor(keys, [secret])?.issue({ client: 'web' }, 1)) as { token: string };
  expect(await tokens.read(token)).toMatchObject({ client: 'web' });
  const made = await eventTokensFor([], [])?.issue({ client: 'anonymous' }, 60);
  expect(await tokens.read((made as { token: string }).token)).toBe('invalid');
  expect(() => createEventTokens([])).toThrow('secret');
});
