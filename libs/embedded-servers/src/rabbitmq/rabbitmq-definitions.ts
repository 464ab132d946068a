import { createHash, randomBytes } from 'node:crypto';

import type { Passwords } from '../kept-passwords.ts';

/** An administrator, for people and the management page. */
export const OPERATOR = 'operator';
/** An ordinary user, for programs. It has all permissions in the virtual host `/`, and none on the node. */
export const ORDINARY_USER = 'offload';

/** The same as in deploy/rabbitmq/definitions.json; docs/security.md says what they are for. */
const POLICIES = [
  {
    vhost: '/',
    name: 'listeners',
    pattern: '^amq\\.gen-',
    'apply-to': 'queues',
    priority: 0,
    definition: {
      expires: 60_000,
      'max-length': 100_000,
      'max-length-bytes': 256 * 1024 ** 2,
      overflow: 'drop-head',
    },
  },
];
const LIMITS = [
  {
    vhost: '/',
    component: 'vhost-limits',
    name: 'limits',
    value: { 'max-connections': 1_000, 'max-queues': 1_000 },
  },
];

/**
 * Makes a definitions document with both users, loaded at each start. It also sets the passwords and permissions of
 * existing users: an earlier version has left `offload` as an administrator.
 */
export function ownDefinitions(passwords: Passwords<typeof OPERATOR | typeof ORDINARY_USER>): object {
  const everything = { vhost: '/', configure: '.*', write: '.*', read: '.*' };
  return {
    vhosts: [{ name: '/' }],
    users: [
      { name: OPERATOR, tags: ['administrator'], ...hashed(passwords[OPERATOR]) },
      { name: ORDINARY_USER, tags: [], ...hashed(passwords[ORDINARY_USER]) },
    ],
    permissions: [OPERATOR, ORDINARY_USER].map((user) => ({ user, ...everything })),
    policies: POLICIES,
    parameters: LIMITS,
  };
}

/**
 * Hashes a password as RabbitMQ does: salted SHA-256. https://www.rabbitmq.com/docs/passwords#computing-password-hash
 */
function hashed(password: string) {
  const salt = randomBytes(4);
  const hash = createHash('sha256').update(salt).update(password, 'utf8').digest();
  return {
    password_hash: Buffer.concat([salt, hash]).toString('base64'),
    hashing_algorithm: 'rabbit_password_hashing_sha256',
  };
}
