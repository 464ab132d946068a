// Makes an API key, and prints the variable with which the processes know it.
//
//   npm run api-key -- --name ci --scopes submit,read
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { apiKeys, newApiKey, scopes } from '@offload/access/secrets';

const EX_USAGE = 64; // sysexits.h
const EX_CONFIG = 78;

const HELP = `npm run api-key -- --name NAME --scopes SCOPE,...: makes an API key

  --name NAME         name of the client: a-z, 0-9, ".", "_" and "-"
  --scopes SCOPE,...  rights of the key: ${scopes.join(', ')}
  --help              this text

The key is printed once. Put the line API_KEYS=... into the environment of the processes, or into the file .env. If
API_KEYS is set already, in the environment or in that file, the line has the earlier keys too.
`;

function fail(message, code) {
  process.stderr.write(`npm run api-key: ${message}\n`);
  process.exit(code);
}

function readCommandLine() {
  const text = { type: 'string' };
  const { values } = parseArgs({ options: { name: text, scopes: text, help: { type: 'boolean' } } });
  if (values.help) {
    process.stdout.write(HELP);
    process.exit(0);
  }
  for (const option of ['name', 'scopes']) if (values[option] === undefined) throw new Error(`--${option} is missing`);
  return { name: values.name, made: newApiKey(values.name, values.scopes.split(',')) };
}

let command;
try {
  command = readCommandLine();
} catch (error) {
  fail(`${error.message}\n\n${HELP.trimEnd()}`, EX_USAGE);
}

if (existsSync('.env')) process.loadEnvFile('.env'); // variables that are set take precedence
const present = process.env.API_KEYS || null; // an empty variable counts as not set
const { key, entry } = command.made;
const line = present === null ? entry : `${present},${entry}`;
const checked = apiKeys.safeParse(line);
if (!checked.success) {
  fail(`API_KEYS: ${checked.error.issues.map(({ message }) => message).join('; ')}`, EX_CONFIG);
}

process.stdout.write(`${key}

This is the key of ${command.name}. It is stored nowhere: give it to the client now.
The processes need only its hash, in their environment or in .env:

API_KEYS=${line}
`);
