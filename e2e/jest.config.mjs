import preset from '../jest.preset.mjs';

// Processes start from source, in seconds: the limits only end what hangs.
export default { ...preset, displayName: 'e2e', testTimeout: 60_000 };
