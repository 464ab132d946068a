import { expect, it } from '@jest/globals';
import { z } from 'zod';
import { parseConfig } from '@offload/process/config';
import { newWebhookSecret, webhookSecret, webhookSecrets } from './webhook-secrets.ts';

const schema = z.object({ WEBHOOK_SECRETS: webhookSecrets });
const parsed = (WEBHOOK_SECRETS: string) => parseConfig(schema, { WEBHOOK_SECRETS });
const ofBytes = (count: number): string => `whsec_${Buffer.alloc(count, 7).toString('base64')}`;

it('makes secrets that it accepts itself, each time another', () => {
  const secret = newWebhookSecret();
  expect(webhookSecret.parse(secret)).toBe(secret);
  expect(newWebhookSecret()).not.toBe(secret);
});

it('accepts one secret or several, and has none by default', () => {
  const [one, other] = [ofBytes(24), ofBytes(64)];
  expect(parsed(one)).toEqual({ config: { WEBHOOK_SECRETS: [one] } });
  expect(parsed(`${one}, ${other}`)).toEqual({ config: { WEBHOOK_SECRETS: [one, other] } });
  expect(parsed('')).toEqual({ config: { WEBHOOK_SECRETS: [] } });
});

it.each([
  ['another prefix', ofBytes(32).replace('whsec_', 'secret_')],
  ['no prefix', ofBytes(32).replace('whsec_', '')],
  ['too few bytes', ofBytes(23)],
  ['too many bytes', ofBytes(65)],
  ['base64 without its padding', ofBytes(32).replace('=', '')],
  ["base64 with the URL's alphabet", `whsec_${Buffer.alloc(30, 255).toString('base64url')}`],
  ['characters that are not base64', `whsec_${'?'.repeat(44)}`],
  ['nothing between two commas', ''],
])('refuses %s, and names the secret by its number without repeating it', (_what, wrong) => {
  const { faults } = parsed(`${ofBytes(32)},${wrong},${ofBytes(32)}`) as { faults: string[] };
  expect(faults).toEqual([
    'WEBHOOK_SECRETS: secret 2 must be whsec_ and 24 to 64 bytes in base64, as `npm run webhook-secret` prints it',
  ]);
  expect(webhookSecret.safeParse(wrong).success).toBe(false);
});

it('repeats nothing of an invalid list of endpoints, which contains secrets', () => {
  const endpoints = z.object({ WEBHOOK_ENDPOINTS: z.string().max(3) });
  const { faults } = parseConfig(endpoints, { WEBHOOK_ENDPOINTS: ofBytes(32) }) as { faults: string[] };
  expect(faults.join()).toMatch(/^WEBHOOK_ENDPOINTS: /);
  expect(faults.join()).not.toContain('whsec_');
});
