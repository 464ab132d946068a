import { randomBytes } from 'node:crypto';

import { readRecord, writeRecord } from '@offload/child-processes/leftovers';

/** Passwords by user. Each of them fits into a URL as it stands. */
export type Passwords<User extends string> = Readonly<Record<User, string>>;

/** Random passwords, of 192 bits each. */
export function newPasswords<User extends string>(users: readonly User[]): Passwords<User> {
  const made = users.map((user) => [user, randomBytes(24).toString('base64url')]);
  return Object.fromEntries(made) as Passwords<User>;
}

/** The passwords in `file`; undefined when there is no such file, or not all of these users are in it. */
export function readPasswords<User extends string>(file: string, users: readonly User[]): Passwords<User> | undefined {
  const read = (readRecord(file) ?? {}) as Partial<Passwords<User>>;
  return users.every((user) => typeof read[user] === 'string') ? (read as Passwords<User>) : undefined;
}

/** Keeps the passwords in `file`, as an object by user. Only its owner may read it. */
export function keepPasswords(file: string, passwords: Passwords<string>): void {
  writeRecord(file, passwords, 0o600);
}
