import { expect, it } from '@jest/globals';
import { z } from 'zod';
import { newApiKey } from './api-keys.ts';
import { browserVariables, refuseOpenDoors, serviceVariables } from './service-variables.ts';
import { flag, integer, list, parseConfig, port, processVariables } from '@offload/process/config';

const variables = z.object({
  ...processVariables,
  ...serviceVariables,
  PORT: port(3000),
  CONCURRENCY: integer(10, 1),
  QUEUES: list('default', z.string().min(1)),
  ALLOW: flag(false),
});
const schema = variables.superRefine(refuseOpenDoors);
const urls = { DATABASE_URL: 'postgresql://u:p@h/d', AMQP_URL: 'amqp://u:p@h' };

it('fills in defaults, also for empty variables', () => {
  expect(parseConfig(schema, { ...urls, PORT: '' })).toEqual({
    config: {
      ...urls,
      LOG_LEVEL: 'info',
      DATABASE_POOL_SIZE: 10,
      HOST: '127.0.0.1',
      API_KEYS: [],
      SHUTDOWN_GRACE_MS: 10_000,
      PORT: 3000,
      CONCURRENCY: 10,
      QUEUES: ['default'],
      ALLOW: false,
    },
  });
});

it('reads the variables that are set', () => {
  const given = { ...urls, PORT: '0', CONCURRENCY: '3', QUEUES: 'default, mail', ALLOW: 'true' };
  expect(parseConfig(schema, given)).toMatchObject({
    config: { PORT: 0, CONCURRENCY: 3, QUEUES: ['default', 'mail'], ALLOW: true },
  });
});

it('names every invalid variable, and no password', () => {
  const wrong = { AMQP_URL: 'http://user:secret@h', PORT: '70000', CONCURRENCY: '0', QUEUES: 'a,,b', ALLOW: 'yes' };
  const { faults } = parseConfig(schema, wrong) as { faults: string[] };
  expect(faults.map((fault) => fault.split(/[=: ]/)[0])).toEqual([
    'DATABASE_URL',
    'AMQP_URL',
    'PORT',
    'CONCURRENCY',
    'QUEUES',
    'ALLOW',
  ]);
  expect(faults[0]).toMatch(/^DATABASE_URL is not set/);
  expect(faults[1]).toBe('AMQP_URL: must be an amqp:// or amqps:// URL');
});

it.each([
  ['127.0.0.1', true],
  ['127.8.9.1', true],
  ['::1', true],
  ['localhost', true],
  ['0.0.0.0', false],
  ['::', false],
  ['127.0.0.1.example.com', false],
  ['192.168.1.1', false],
])('lets a process listen on %s without authentication: %s', (HOST, may) => {
  const outcome = parseConfig(schema, { ...urls, HOST });
  expect('config' in outcome).toBe(may);
  if (!may) expect((outcome as { faults: string[] }).faults[0]).toMatch(/API_KEYS \(`npm run api-key`.*AUTH=off/);
  expect('config' in parseConfig(schema, { ...urls, HOST, AUTH: 'off' })).toBe(true);
  expect('config' in parseConfig(schema, { ...urls, HOST, API_KEYS: newApiKey('ci', ['read']).entry })).toBe(true);
});

it('reads API keys, and repeats only the name of an invalid entry', () => {
  const { entry } = newApiKey('ci', ['read']);
  expect(parseConfig(schema, { ...urls, API_KEYS: entry, AUTH: 'off' })).toMatchObject({
    config: { API_KEYS: [{ name: 'ci' }] },
  });
  expect(parseConfig(schema, { ...urls, API_KEYS: `${entry},${entry},ops:write:${'a'.repeat(64)}` })).toEqual({
    faults: [
      'API_KEYS: entry 2 (ci): an earlier entry has this name',
      'API_KEYS: entry 3 (ops): scopes are one or more of submit, read, manage, operate, work, joined by "+"',
    ],
  });
});

it('does not repeat an invalid secret', () => {
  const secrets = z.object(browserVariables);
  const [fine, short] = ['a'.repeat(32), 'b'.repeat(31)];
  expect(parseConfig(secrets, { EVENT_TOKEN_SECRET: `${fine}, ${fine}` })).toMatchObject({
    config: { EVENT_TOKEN_SECRET: [fine, fine] },
  });
  for (const EVENT_TOKEN_SECRET of [short, `${fine},${short}`, `${fine},`, `${fine},${fine},${fine}`]) {
    const { faults } = parseConfig(secrets, { EVENT_TOKEN_SECRET }) as { faults: string[] };
    expect(faults).toEqual([expect.stringMatching(/^EVENT_TOKEN_SECRET: (must be one|each) secret/)]);
    expect(faults[0]).not.toMatch(/aaa|bbb/);
  }
});

it.each([
  ['/nowhere/ca.pem', /^AMQP_CA_FILE=\/nowhere\/ca\.pem: .*ENOENT/],
  [import.meta.filename, /^AMQP_CA_FILE=.*: must be a readable PEM file/],
])('refuses %s as AMQP_CA_FILE', (AMQP_CA_FILE, fault) => {
  expect(parseConfig(schema, { ...urls, AMQP_CA_FILE })).toEqual({ faults: [expect.stringMatching(fault)] });
});

it.each(['86400001', '2147483647'])(
  'refuses SHUTDOWN_GRACE_MS=%s, which timers could not hold with what is added',
  (given) => {
    const { faults } = parseConfig(schema, { ...urls, SHUTDOWN_GRACE_MS: given }) as { faults: string[] };
    expect(faults).toEqual([expect.stringMatching(new RegExp(`^SHUTDOWN_GRACE_MS=${given}: .*86400000`))]);
  },
);

it('refuses CORS_ORIGINS=* without API keys, also behind AUTH=off', () => {
  const browsed = variables.extend(browserVariables).superRefine(refuseOpenDoors);
  const given = { ...urls, CORS_ORIGINS: '*' };
  for (const more of [{}, { AUTH: 'off' }, { AUTH: 'off', HOST: '0.0.0.0' }]) {
    expect(parseConfig(browsed, { ...given, ...more })).toEqual({
      faults: [expect.stringMatching(/^refusing CORS_ORIGINS=\* without API keys/)],
    });
  }
  expect('config' in parseConfig(browsed, { ...given, API_KEYS: newApiKey('ci', ['read']).entry })).toBe(true);
  expect('config' in parseConfig(browsed, { ...urls, CORS_ORIGINS: 'https://app.example' })).toBe(true);
});
