import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface KeptSecrets {
  /** As `WEBHOOK_SECRETS` takes them. */
  secrets: string;
  /** Where they are, for people. */
  file: string;
}

/**
 * The secret of jobs' own webhooks that is kept in the folder, in a file that only its owner may read. Made when there is
 * none: receivers go on knowing it from run to run, also from `--fresh` on, and whoever changes the file changes it.
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
