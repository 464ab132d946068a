// What every project's tests share. Native ESM, so specs import { expect, it, jest } from '@jest/globals'.
import { join } from 'node:path';

const swc = {
  jsc: { parser: { syntax: 'typescript' }, target: 'es2022', keepClassNames: true },
  module: { type: 'es6' },
  sourceMaps: 'inline',
  swcrc: false,
};

export default {
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['@offload/source', 'node', 'node-addons'] },
  testMatch: ['<rootDir>/**/*.spec.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', swc] },
  moduleFileExtensions: ['ts', 'js', 'mjs', 'cjs', 'json', 'node'],
  testTimeout: 60_000, // ends what hangs: processes start from source, in seconds
};

/** One real PostgreSQL and RabbitMQ for the whole run, started before the first spec and stopped after the last. */
export const servers = {
  globalSetup: join(import.meta.dirname, 'tools/test-servers.mjs'),
  globalTeardown: join(import.meta.dirname, 'tools/test-servers-teardown.mjs'),
};

/** The same servers, and the apps compiled. */
export const system = { ...servers, globalSetup: join(import.meta.dirname, 'tools/test-system.mjs') };
