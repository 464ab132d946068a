import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';

/**
 * What a key may be good for: to submit jobs, to read them, to cancel, retry and delete them; to operate the system (drain workers,
 * remove job types), and to work: claim jobs and say how they ended, as a worker in another language does.
 */
export const scopes = ['submit', 'read', 'manage', 'operate', 'work'] as const;
export type Scope = (typeof scopes)[number];

/** A key as it is configured: nothing that it could be told from. */
export interface ApiKey {
  /** Whose it is: the client, in logs and limits. */
  name: string;
  scopes: ReadonlySet<Scope>;
  /** SHA-256 of the key. It has 256 random bits, so that nothing slower is needed to keep it from being guessed. */
  hash: Buffer;
}

/** The client's name where nobody needs a key. */
export const ANONYMOUS = 'anonymous';

const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const nameRule = 'a name has 1 to 63 of a-z, 0-9, ".", "_" and "-", the first a letter or digit';
const scopeRule = `scopes are one or more of ${scopes.join(', ')}`;

/**
 * `API_KEYS`: entries `name:scope+scope:sha256hex`, separated by commas. Faults say which entry, and repeat nothing of it but
 * a correct name: whatever stands elsewhere may be a key.
 */
export const apiKeys = z.string().transform((text, context): ApiKey[] => {
  const keys: ApiKey[] = [];
  for (const [index, entry] of text.split(',').entries()) {
    const key = readEntry(entry.trim(), keys);
    if (typeof key !== 'string') keys.push(key);
    else context.addIssue(`entry ${index + 1}${nameOf(entry)}: ${key}`);
  }
  return keys;
});

/** @returns the key, or what is wrong with it */
function readEntry(entry: string, earlier: readonly ApiKey[]): ApiKey | string {
  const [name = '', scopeList, hex, ...more] = entry.split(':');
  if (scopeList === undefined || hex === undefined || more.length > 0) return 'is not name:scope+scope:sha256';
  const faultOfName = nameFault(name);
  if (faultOfName !== null) return faultOfName;
  const given = readScopes(scopeList.split('+'));
  if (given === null) return `${scopeRule}, joined by "+"`;
  if (!/^[0-9a-f]{64}$/i.test(hex)) return 'the hash must be 64 hexadecimal digits, as `npm run api-key` prints it';
  const hash = Buffer.from(hex, 'hex');
  for (const other of earlier) {
    if (other.name === name) return 'there is an entry of this name already';
    if (other.hash.equals(hash)) return `is the same key as that of ${other.name}`;
  }
  return { name, scopes: given, hash };
}

function nameOf(entry: string): string {
  const [name = '', ...more] = entry.trim().split(':');
  return more.length > 0 && NAME.test(name) ? ` (${name})` : '';
}

function nameFault(name: string): string | null {
  if (!NAME.test(name)) return nameRule;
  return name === ANONYMOUS ? `"${ANONYMOUS}" is whoever has no key` : null;
}

function readScopes(given: readonly string[]): ReadonlySet<Scope> | null {
  const known = scopes.filter((scope) => given.includes(scope)); // in one order, and each once
  return known.length > 0 && given.every((each) => known.includes(each as Scope)) ? new Set(known) : null;
}

/**
 * Makes a key.
 *
 * @returns the key itself, which is nowhere else, and its entry for `API_KEYS`
 * @throws Error that says what is wrong with the name or the scopes
 */
export function newApiKey(name: string, wanted: readonly string[]): { key: string; entry: string } {
  const fault = nameFault(name);
  if (fault !== null) throw new Error(fault);
  const given = readScopes(wanted);
  if (given === null) throw new Error(scopeRule);
  const key = `ofl_${randomBytes(32).toString('base64url')}`; // with the prefix, scanners for leaked secrets find it
  return { key, entry: `${name}:${[...given].join('+')}:${hashOf(key).toString('hex')}` };
}

/** SHA-256, as in {@link ApiKey.hash}. */
export function hashOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
