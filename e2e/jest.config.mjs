import preset, { system } from '../jest.preset.mjs';

export default { ...preset, ...system, displayName: 'e2e' };
