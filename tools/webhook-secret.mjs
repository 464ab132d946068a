// Makes a secret that signs webhooks, and prints the variable with which the processes know it.
//
//   npm run webhook-secret
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { newWebhookSecret, webhookSecrets } from '@offload/access/secrets';

const EX_USAGE = 64; // sysexits.h
const EX_CONFIG = 78;

const HELP = `npm run webhook-secret: makes a secret that signs webhooks

  --help  this text

Put the line WEBHOOK_SECRETS=... into the environment of api and notifiers, or into the file .env. If WEBHOOK_SECRETS is set
already, in the environment or in that file, the line has the new secret and the earlier ones. Each of them signs webhooks.
`;

function fail(message, code) {
  process.stderr.write(`npm run webhook-secret: ${message}\n`);
  process.exit(code);
}

try {
  const { values } = parseArgs({ options: { help: { type: 'boolean' } } });
  if (values.help) {
    process.stdout.write(HELP);
    process.exit(0);
  }
} catch (error) {
  fail(`${error.message}\n\n${HELP.trimEnd()}`, EX_USAGE);
}

if (existsSync('.env')) process.loadEnvFile('.env'); // variables that are set take precedence
const present = webhookSecrets.safeParse(process.env.WEBHOOK_SECRETS || undefined); // an empty variable counts as not set
if (!present.success) {
  fail(`WEBHOOK_SECRETS: ${present.error.issues.map(({ message }) => message).join('; ')}`, EX_CONFIG);
}

const secret = newWebhookSecret();
const next =
  present.data.length === 0
    ? 'Receivers verify webhooks with it. Give it to each of them, and keep it secret from all others.'
    : `It is added to the earlier secrets. Give it to every receiver, and then remove the earlier secrets from the line.`;
process.stdout.write(`${secret}

This is the secret. ${next}
The api and all notifiers need the same line in their environment or in .env:

WEBHOOK_SECRETS=${[secret, ...present.data].join(',')}
`);
