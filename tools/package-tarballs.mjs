// Packs the published libraries: each library that a user's program imports, directly or indirectly, as compiled files
// alone. The manifests of the repository stay private, so that a folder can't be published by mistake.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');

/** The packages that users import. Their doors are an interface; the libraries behind them may change. */
export const doors = ['jobs', 'worker', 'client', 'react', 'messaging', 'testing'];

/** Folders beside `dist` that the programs of a library read. */
const read = { database: ['prisma/migrations'] };

const manifestOf = (library) => JSON.parse(readFileSync(join(root, 'libs', library, 'package.json'), 'utf8'));

/** @returns {string[]} the published libraries: those of the doors, with all their dependencies */
export function publishedLibraries() {
  const all = new Set(doors);
  for (const library of all) {
    for (const name of Object.keys(manifestOf(library).dependencies ?? {})) {
      if (name.startsWith('@offload/')) all.add(name.slice('@offload/'.length));
    }
  }
  return [...all].sort();
}

/**
 * Packs the compiled libraries.
 *
 * @param {string} into the folder for the tarballs
 * @returns {{ library: string, manifest: object, tarball: string }[]}
 */
export function packLibraries(into) {
  const projects = publishedLibraries().map((library) => join('libs', library, 'tsconfig.lib.json'));
  execFileSync('npx', ['tsc', '-b', ...projects], { cwd: root, stdio: 'inherit' });
  const stage = mkdtempSync(join(tmpdir(), 'offload-stage-'));
  try {
    return publishedLibraries().map((library) => {
      const folder = join(stage, library);
      const manifest = publishedManifest(manifestOf(library), read[library] ?? []);
      stageLibrary(library, folder, manifest);
      const packed = execFileSync('npm', ['pack', '--json', '--pack-destination', into], {
        ...{ cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
      });
      return { library, manifest, tarball: join(into, filenameOf(JSON.parse(packed))) };
    });
  } finally {
    rmSync(stage, { recursive: true });
  }
}

/** npm prints a list; from version 12 on, an object with one member for each package. */
const filenameOf = (packed) => Object.values(packed)[0].filename;

/**
 * The manifest without the parts for this repository. A package has no sources, so it does not have their condition.
 */
function publishedManifest({ private: _private, nx: _nx, devDependencies: _dev, ...manifest }, folders) {
  const { version, dependencies = {}, exports } = manifest;
  return {
    ...manifest,
    license: 'MIT',
    engines: { node: JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).engines.node },
    files: ['dist', ...folders],
    exports: Object.fromEntries(Object.entries(exports).flatMap(([door, target]) => publishedDoor(door, target))),
    dependencies: Object.fromEntries(
      Object.entries(dependencies).map(([name, range]) => [name, name.startsWith('@offload/') ? version : range]),
    ),
  };
}

/** The door in a package; undefined for a door with sources alone, which is for specs. */
function publishedDoor(door, target) {
  if (typeof target === 'string') return [[door, target]];
  const { '@offload/source': _source, ...compiled } = target;
  return Object.keys(compiled).length > 0 ? [[door, compiled]] : [];
}

function stageLibrary(library, folder, manifest) {
  const from = join(root, 'libs', library);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  for (const name of ['README.md', 'CHANGELOG.md']) {
    if (existsSync(join(from, name))) cpSync(join(from, name), join(folder, name));
  }
  for (const name of read[library] ?? []) cpSync(join(from, name), join(folder, name), { recursive: true });
  for (const file of readdirSync(join(from, 'dist'), { recursive: true })) {
    if (!isPublished(from, file)) continue;
    const text = readFileSync(join(from, 'dist', file), 'utf8');
    mkdirSync(dirname(join(folder, 'dist', file)), { recursive: true });
    writeFileSync(join(folder, 'dist', file), text.replace(/\n\/\/# sourceMappingURL=\S+\s*$/, '\n'));
  }
}

/**
 * Whether to publish a file. Maps lead to unpublished sources, and an earlier build may have left files of removed
 * sources.
 */
function isPublished(from, file) {
  const source = file.replace(/\.(js|d\.ts)$/, '.ts');
  return source !== file && existsSync(join(from, 'src', source));
}
