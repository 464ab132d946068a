#!/usr/bin/env node
// `node render-definitions.mjs [FILE]`: writes definitions.json with the queues of QUEUES and with the hash of each
// user's password, for RabbitMQ's load_definitions. Without FILE it prints them. It needs only Node.js.
//   QUEUES                        separated by commas (default)
//   RABBITMQ_<USER>_PASSWORD      one for each user in definitions.json, percent-encoded as in a URL
// The operator's password is random unless it is set. It is kept in the file `operator-password` beside FILE, which
// only its owner may read.
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const EX_CONFIG = 78; // sysexits.h, the exit code of the processes for a wrong configuration

const environment = Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== ''));
const [, , file] = process.argv;
if (file !== undefined)
  environment.RABBITMQ_OPERATOR_PASSWORD ??= keptPassword(join(dirname(file), 'operator-password'));
const template = JSON.parse(readFileSync(join(import.meta.dirname, 'definitions.json'), 'utf8'));
const queues = [...new Set((environment.QUEUES ?? 'default').split(',').map((name) => name.trim()))];

const faults = [...queues.map(queueFault), ...template.users.map(passwordFault)].filter((fault) => fault !== null);
if (faults.length > 0) {
  process.stderr.write(`The definitions can't be rendered:\n${faults.map((fault) => `  ${fault}\n`).join('')}`);
  process.exit(EX_CONFIG);
}
const definitions = `${JSON.stringify(render(), null, 2)}\n`;
if (file === undefined) process.stdout.write(definitions);
else {
  writeFileSync(`${file}.new`, definitions);
  renameSync(`${file}.new`, file); // a reader gets the old file or the new one
}

/** Renders the definitions. The queue `default` is the pattern for the others. */
function render() {
  return {
    ...template,
    users: template.users.map((user) => ({
      ...user,
      password_hash: passwordHash(decodeURIComponent(environment[passwordVariable(user)])),
      hashing_algorithm: 'rabbit_password_hashing_sha256',
    })),
    permissions: template.permissions.map((permission) => ({
      ...permission,
      read: permission.read.replace('(default)', `(${queues.map(asPattern).join('|')})`),
    })),
    queues: template.queues.flatMap((queue) =>
      queue.name === 'jobs.default' ? queues.map((name) => ({ ...queue, name: `jobs.${name}` })) : [queue],
    ),
    bindings: template.bindings.flatMap((binding) =>
      binding.destination === 'jobs.default'
        ? queues.map((name) => ({ ...binding, destination: `jobs.${name}`, routing_key: name }))
        : [binding],
    ),
  };
}

/** Escapes dots, the only characters of a queue's name with a meaning in a pattern. */
function asPattern(name) {
  return name.replaceAll('.', String.raw`\.`);
}

/** Reads the password in the file, or makes a new one. Every user of the machine can reach the management page. */
function keptPassword(path) {
  if (!existsSync(path)) writeFileSync(path, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 });
  return readFileSync(path, 'utf8').trim();
}

/**
 * Hashes a password as RabbitMQ does: salted SHA-256. https://www.rabbitmq.com/docs/passwords#computing-password-hash
 */
function passwordHash(password) {
  const salt = randomBytes(4);
  const hash = createHash('sha256').update(salt).update(password, 'utf8').digest();
  return Buffer.concat([salt, hash]).toString('base64');
}

function passwordVariable({ name }) {
  return `RABBITMQ_${name.toUpperCase()}_PASSWORD`;
}

/** Checks that a password is percent-encoded as a URL requires (RFC 3986). */
function passwordFault(user) {
  const variable = passwordVariable(user);
  const password = environment[variable];
  if (password === undefined) return `${variable} is not set: the password of the user ${user.name}`;
  if (/^([A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})+$/.test(password) && isDecodable(password)) return null;
  return `${variable} must be percent-encoded UTF-8 where a URL can't hold it: %40 for @, %2F for /, %25 for %`;
}

function isDecodable(text) {
  try {
    return decodeURIComponent(text) !== '';
  } catch {
    return false;
  }
}

/** Checks a queue's name as `queueName` in libs/jobs does. A queue must not have the name of an exchange. */
function queueFault(name) {
  const isExchange = template.exchanges.some((exchange) => exchange.name === `jobs.${name}`);
  if (isExchange) return `QUEUES: jobs.${name} is an exchange`;
  if (/^[a-z0-9][a-z0-9._-]{0,62}$/.test(name)) return null;
  return `QUEUES: "${name}" must be up to 63 of a-z, 0-9, ".", "_" and "-", a letter or digit first`;
}
