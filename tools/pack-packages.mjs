// `npm run pack-packages -- FOLDER`: writes the tarballs of the packages, ready for `npm publish`.
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { packLibraries } from './package-tarballs.mjs';

const folder = resolve(process.argv[2] ?? 'tarballs');
mkdirSync(folder, { recursive: true });
for (const { manifest, tarball } of packLibraries(folder)) {
  process.stdout.write(`${manifest.name}@${manifest.version}  ${tarball}\n`);
}
