// Makes a secret that webhooks are signed with, and the variable that lets the processes know it.
//
//   npm run webhook-secret
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { newWebhookSecret, webhookSecrets } from '@offload/access/secrets';

const EX_USAGE = 64; // sysexits.h
const EX_CONFIG = 78;

const HELP = `npm run webhook-secret: makes a secret that webhooks are signed with

  --help  this text

The line WEBHOOK_SECRETS=... is for the environment of api and notifiers, or the file .env; where WEBHOOK_SECRETS is set
already, in the environment or that file, the line has the new secret and those: webhooks are signed with all of them.
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

if (existsSync('.env')) process.loadEnvFile('.env'); // variables that are set already win
const present = webhookSecrets.safeParse(process.env.WEBHOOK_SECRETS || undefined); // an empty one counts as not set
if (!present.success) {
  fail(`WEBHOOK_SECRETS: ${present.error.issues.map(({ message }) => message).join('; ')}`, EX_CONFIG);
}

const secret = newWebhookSecret();
const next =
  present.data.length === 0
    ? 'Receivers verify webhooks with it, so give it to each of them; nobody else should know it.'
    : `It goes beside what is there. Give it to every receiver, and take the older out of the line once all of them have it.`;
process.stdout.write(`${secret}

This is the secret. ${next}
Api and notifiers need it in their environment or in .env, all of them the same:

WEBHOOK_SECRETS=${[secret, ...present.data].join(',')}
`);
