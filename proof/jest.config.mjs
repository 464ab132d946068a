import preset, { servers } from '../jest.preset.mjs';

// Programs lie beside each other here, without src/.
export default { ...preset, ...servers, displayName: 'proof', testMatch: ['<rootDir>/**/*.spec.ts'] };
