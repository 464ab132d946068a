import { expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ownDefinitions } from './rabbitmq-definitions.ts';

type Document = Record<'policies' | 'parameters', object[]> & { users: { name: string; password_hash: string }[] };
const passwords = { operator: 'one', offload: 'other' };
const own = ownDefinitions(passwords) as Document;

it('has the policies and limits of the definitions for other installations', () => {
  const file = join(import.meta.dirname, '../../../../deploy/rabbitmq/definitions.json');
  const { policies, parameters } = JSON.parse(readFileSync(file, 'utf8')) as Document;
  expect([own.policies, own.parameters]).toEqual([policies, parameters]);
});

it('has hashes that RabbitMQ can check, and no password', () => {
  expect(JSON.stringify(own)).not.toMatch(/"one"|"other"/);
  for (const { name, password_hash: hash } of own.users) {
    const bytes = Buffer.from(hash, 'base64');
    const expected = createHash('sha256')
      .update(bytes.subarray(0, 4))
      .update(passwords[name as keyof typeof passwords]);
    expect(bytes.subarray(4)).toEqual(expected.digest());
  }
});
