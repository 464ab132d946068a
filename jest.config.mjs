// `npm test`: every project in one run, so that the servers start once and the sums are true.
export default {
  projects: ['<rootDir>/apps/*', '<rootDir>/libs/*', '<rootDir>/e2e', '<rootDir>/bench'],
  testTimeout: 30_000,
};
