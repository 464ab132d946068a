import { availableParallelism } from 'node:os';
import preset from './jest.preset.mjs';

// `npm test`: every project in one run, so that the servers start once and the sums are true.
export default {
  projects: ['<rootDir>/apps/*', '<rootDir>/libs/*', '<rootDir>/e2e', '<rootDir>/proof', '<rootDir>/bench'],
  testTimeout: preset.testTimeout, // Jest takes it from here alone
  // Specs wait for servers much of the time: two share even two cores well, where Jest's own default is one.
  maxWorkers: Math.max(2, availableParallelism() - 1),
};
