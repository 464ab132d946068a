import { randomBytes } from 'node:crypto';
import { z } from 'zod';

// As Standard Webhooks has them: 24 to 64 random bytes in base64 behind a prefix that scanners for leaked secrets know.
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
const PREFIX = 'whsec_';
const [SHORTEST, LONGEST] = [24, 64];
const RULE = `must be ${PREFIX} and ${SHORTEST} to ${LONGEST} bytes in base64, as \`npm run webhook-secret\` prints it`;

/** One secret that webhooks are signed with. Its fault repeats nothing of it. */
export const webhookSecret = z.string().refine(isSecret, RULE);

/**
 * `WEBHOOK_SECRETS`: the secrets that jobs' own webhooks are signed with, separated by commas, all of them at once: so a
 * receiver may know either while one replaces the other. Faults say which secret, and repeat nothing of it.
 *
 * @default none: jobs have no webhooks of their own
 */
export const webhookSecrets = z
  .string()
  .transform((text, context): string[] => {
    const secrets = text.split(',').map((secret) => secret.trim());
    for (const [index, secret] of secrets.entries()) {
      if (!isSecret(secret)) context.addIssue(`secret ${index + 1} ${RULE}`);
    }
    return secrets;
  })
  .default([]);

/** A new secret, of 32 random bytes. */
export function newWebhookSecret(): string {
  return PREFIX + randomBytes(32).toString('base64');
}

function isSecret(text: string): boolean {
  if (!text.startsWith(PREFIX)) return false;
  const encoded = text.slice(PREFIX.length);
  const bytes = Buffer.from(encoded, 'base64'); // which skips what it does not know
  return bytes.toString('base64') === encoded && bytes.length >= SHORTEST && bytes.length <= LONGEST;
}
