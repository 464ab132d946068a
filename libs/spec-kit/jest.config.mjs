import preset, { servers } from '../../jest.preset.mjs';

export default { ...preset, ...servers, displayName: 'spec-kit' };
