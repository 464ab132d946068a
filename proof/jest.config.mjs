import preset from '../jest.preset.mjs';

// Programs lie beside each other here, without src/. Processes start from source, in seconds: the limits only end what hangs.
export default { ...preset, displayName: 'proof', testMatch: ['<rootDir>/**/*.spec.ts'], testTimeout: 60_000 };
