import { randomBytes } from 'node:crypto';
import { z } from 'zod';

// As Standard Webhooks has them: 24 to 64 random bytes in base64 behind a prefix that scanners for leaked secrets know.
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
const PREFIX = 'whsec_';
const [SHORTEST, LONGEST] = [24, 64];
const RULE = `must be ${PREFIX} and ${SHORTEST} to ${LONGEST} bytes in base64, as \`npm run webhook-secret\` prints it`;

/** One secret that webhooks are signed with. Its fault repeats nothing of it. */
export const webhookSecret = z.string().refine(isSecret, RULE);

/** The variable `WEBHOOK_SECRETS`. Faults say which secret is wrong, and repeat nothing of it. */
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
