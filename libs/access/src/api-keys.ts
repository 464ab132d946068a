import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';

/**
 * What a key may allow. `submit` submits jobs, `read` reads them, and `manage` cancels, retries and deletes them. `operate` drains workers
 * and removes job types. `work` claims jobs and stores their outcomes, as a worker in another language does.
 */
export const scopes = ['submit', 'read', 'manage', 'operate', 'work'] as const;
/** One of {@link scopes}. */
export type Scope = (typeof scopes)[number];

/** A configured key. It holds only the hash, so the configuration reveals no key. */
export interface ApiKey {
  /** The name of the client that has the key. Logs and limits use it. */
  name: string;
  /** What the key allows. */
  scopes: ReadonlySet<Scope>;
  /** SHA-256 of the key. A key has 256 random bits, so a slow hash would protect it no better. */
  hash: Buffer;
}

/** The name of every client if no API keys are configured. */
export const ANONYMOUS = 'anonymous';

const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const nameRule = 'a name has 1 to 63 of a-z, 0-9, ".", "_" and "-", the first a letter or digit';
const scopeRule = `scopes are one or more of ${scopes.join(', ')}`;

/**
 * Parses `API_KEYS`: entries `name:scope+scope:sha256hex`, separated by commas. A fault names the entry by its number
 * and, if valid, its name. It repeats nothing else, because a misplaced part may be a key.
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

/** @returns the key, or why the entry is invalid */
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
    if (other.name === name) return 'an earlier entry has this name';
    if (other.hash.equals(hash)) return `has the same key as ${other.name}`;
  }
  return { name, scopes: given, hash };
}

function nameOf(entry: string): string {
  const [name = '', ...more] = entry.trim().split(':');
  return more.length > 0 && NAME.test(name) ? ` (${name})` : '';
}

function nameFault(name: string): string | null {
  if (!NAME.test(name)) return nameRule;
  return name === ANONYMOUS ? `"${ANONYMOUS}" is the name of clients without a key` : null;
}

function readScopes(given: readonly string[]): ReadonlySet<Scope> | null {
  const known = scopes.filter((scope) => given.includes(scope)); // in a fixed order, each once
  return known.length > 0 && given.every((each) => known.includes(each as Scope)) ? new Set(known) : null;
}

/**
 * Makes a new API key.
 *
 * @returns the key, which is stored nowhere else, and its entry for `API_KEYS`
 * @throws Error that says why the name or the scopes are invalid
 * @example
 * ```ts
 * const { key, entry } = newApiKey('ci', ['submit', 'read']); // entry: 'ci:submit+read:5f1c…'
 * ```
 */
export function newApiKey(name: string, wanted: readonly string[]): { key: string; entry: string } {
  const fault = nameFault(name);
  if (fault !== null) throw new Error(fault);
  const given = readScopes(wanted);
  if (given === null) throw new Error(scopeRule);
  const key = `ofl_${randomBytes(32).toString('base64url')}`; // scanners for leaked secrets know keys by a prefix
  return { key, entry: `${name}:${[...given].join('+')}:${hashOf(key).toString('hex')}` };
}

/** SHA-256 of a key, as in {@link ApiKey.hash}. */
export function hashOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
