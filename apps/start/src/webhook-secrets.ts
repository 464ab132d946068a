import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The secret of jobs' own webhooks. */
export interface KeptSecrets {
  /** In the form of `WEBHOOK_SECRETS`. */
  secrets: string;
  /** Path of the file with the secret, for people. */
  file: string;
}

/**
 * Reads the secret of jobs' own webhooks from the folder, from a file that only its owner may read. A missing secret is
 * made. So receivers can keep it from run to run, also after `--fresh`. To change the secret, edit the file.
 *
 * @throws Error when the file can't be read or written
 */
export function keptWebhookSecrets(folder: string): KeptSecrets {
  const file = join(folder, 'webhook-secrets');
  const kept = existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
  if (kept !== '') return { secrets: kept, file };
  const secrets = `whsec_${randomBytes(32).toString('base64')}`; // as `npm run webhook-secret` makes them
  writeFileSync(file, `${secrets}\n`, { mode: 0o600 });
  return { secrets, file };
}
