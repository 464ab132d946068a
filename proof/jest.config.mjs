import preset from '../jest.preset.mjs';

// Processes start from source, in seconds: the limits only end what hangs.
export default { ...preset, displayName: 'proof', testTimeout: 60_000 };
