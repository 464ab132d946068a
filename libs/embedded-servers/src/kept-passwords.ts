import { randomBytes } from 'node:crypto';

import { readRecord, writeRecord } from '@offload/child-processes/leftovers';

/** Passwords by user. Each password fits into a URL without encoding. */
export type Passwords<User extends string> = Readonly<Record<User, string>>;

/** Makes random passwords of 192 bits. */
export function newPasswords<User extends string>(users: readonly User[]): Passwords<User> {
  const made = users.map((user) => [user, randomBytes(24).toString('base64url')]);
  return Object.fromEntries(made) as Passwords<User>;
}

/** Reads the passwords in `file`; undefined when the file is missing or lacks one of these users. */
export function readPasswords<User extends string>(file: string, users: readonly User[]): Passwords<User> | undefined {
  const read = (readRecord(file) ?? {}) as Partial<Passwords<User>>;
  return users.every((user) => typeof read[user] === 'string') ? (read as Passwords<User>) : undefined;
}

/** Writes the passwords to `file`, as an object by user. Only its owner may read it. */
export function keepPasswords(file: string, passwords: Passwords<string>): void {
  writeRecord(file, passwords, 0o600);
}
