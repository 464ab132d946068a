import { randomBytes } from 'node:crypto';
import { z } from 'zod';

// The format of Standard Webhooks: 24 to 64 random bytes in base64, after a prefix that scanners for leaked secrets
// know. https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
const PREFIX = 'whsec_';
const [SHORTEST, LONGEST] = [24, 64];
const RULE = `must be ${PREFIX} and ${SHORTEST} to ${LONGEST} bytes in base64, as \`npm run webhook-secret\` prints it`;

/** Parses one secret that signs webhooks. Its fault does not repeat the secret. */
export const webhookSecret = z.string().refine(isSecret, RULE);

/**
 * Parses `WEBHOOK_SECRETS`: the secrets that sign the jobs' own webhooks, separated by commas. All of them sign each
 * webhook, so a receiver may know the old or the new one during a rotation. A fault names the secret by its number and
 * does not repeat it.
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
  .default([])
  .describe(
    "Secrets that sign jobs' own webhooks, separated by commas, as `npm run webhook-secret` prints them. " +
      'Each is `whsec_` and 24 to 64 bytes in base64. All of them sign, so that receivers can go over to a new one. ' +
      'Api and notifiers need the same value. Without a secret the api refuses jobs with `webhook`. ' +
      '`npm start` makes a secret and keeps it in DATA_DIR. Compose has a public one, for development only.',
  );

/** Makes a secret of 32 random bytes, for `WEBHOOK_SECRETS` or an endpoint. */
export function newWebhookSecret(): string {
  return PREFIX + randomBytes(32).toString('base64');
}

function isSecret(text: string): boolean {
  if (!text.startsWith(PREFIX)) return false;
  const encoded = text.slice(PREFIX.length);
  const bytes = Buffer.from(encoded, 'base64'); // decoding skips invalid characters
  return bytes.toString('base64') === encoded && bytes.length >= SHORTEST && bytes.length <= LONGEST;
}
