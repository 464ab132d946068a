import { expect, it } from '@jest/globals';
import { apiKeys, hashOf, newApiKey } from './api-keys.ts';

const hex = (character: string): string => character.repeat(64);

function faultsOf(text: string): string[] {
  const { error } = apiKeys.safeParse(text);
  if (!error) throw new Error('it was accepted');
  return error.issues.map(({ message }) => message);
}

it('reads names, scopes and hashes', () => {
  const text = ` ci:submit+read:${hex('a')}, ops.1:manage:${hex('B')} `;
  expect(apiKeys.parse(text)).toEqual([
    { name: 'ci', scopes: new Set(['submit', 'read']), hash: Buffer.alloc(32, 0xaa) },
    { name: 'ops.1', scopes: new Set(['manage']), hash: Buffer.alloc(32, 0xbb) },
  ]);
});

it.each([
  ['nothing', '', /^entry 1: is not name:scope/],
  ['a comma at the end', `ci:read:${hex('a')},`, /^entry 2: is not name:scope/],
  ['a key instead of an entry', `ofl_${'k'.repeat(43)}`, /^entry 1: is not name:scope/],
  ['no scope', `ci::${hex('a')}`, /^entry 1 \(ci\): scopes are one or more of submit, read, manage/],
  ['an unknown scope', `ci:read+${hex('c')}:${hex('a')}`, /^entry 1 \(ci\): scopes are/],
  ['a wrong name', `${hex('c')}:read:${hex('a')}`, /^entry 1: a name has 1 to 63/],
  [
    'the name of clients without a key',
    `anonymous:read:${hex('a')}`,
    /^entry 1 \(anonymous\): "anonymous" is the name of clients without a key/,
  ],
  ['an invalid hash', `ci:read:${hex('a')}a`, /^entry 1 \(ci\): the hash must be 64 hexadecimal digits/],
  ['a name twice', `ci:read:${hex('a')},ci:read:${hex('b')}`, /^entry 2 \(ci\): an earlier entry has this name/],
  ['a key twice', `ci:read:${hex('a')},ops:read:${hex('a')}`, /^entry 2 \(ops\): has the same key as ci/],
  ['a part too many', `ci:read:${hex('a')}:${hex('b')}`, /^entry 1 \(ci\): is not name:scope/],
])('names the invalid entry, and repeats nothing that may be secret: %s', (_what, text, fault) => {
  const faults = faultsOf(text);
  expect(faults).toEqual([expect.stringMatching(fault)]);
  expect(faults.join()).not.toMatch(/(.)\1{9}/);
});

it('names every invalid entry', () => {
  expect(faultsOf(`ci:none:${hex('a')},ok:read:${hex('b')},ops:read:12`)).toHaveLength(2);
});

it('makes keys of 256 random bits, and entries that it can parse', () => {
  const made = [newApiKey('ci', ['read', 'submit', 'read']), newApiKey('ops', ['manage'])] as const;
  for (const { key } of made) expect(key).toMatch(/^ofl_[A-Za-z0-9_-]{43}$/);
  expect(made[0].key).not.toBe(made[1].key);
  const entries = made.map(({ entry }) => entry).join();
  expect(entries).toMatch(/^ci:submit\+read:[0-9a-f]{64},ops:manage:[0-9a-f]{64}$/);
  expect(apiKeys.parse(entries).map(({ hash }) => hash)).toEqual(made.map(({ key }) => hashOf(key)));
});

it('makes no key for an invalid name or scope', () => {
  expect(() => newApiKey('CI', ['read'])).toThrow(/a name has/);
  expect(() => newApiKey('ci', ['write'])).toThrow(/scopes are/);
  expect(() => newApiKey('ci', [])).toThrow(/scopes are/);
});
