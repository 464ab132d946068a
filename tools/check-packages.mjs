// Proves that the packages install. It packs them, checks the tarballs with publint and attw, and installs them into
// empty folders outside the repository. There it imports every door, type-checks programs that use them, and tests a
// handler. A worker of its own runs a job of a shop's Express app, of a type that the system does not know.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { consumers } from './package-consumer.mjs';
import { doors, packLibraries } from './package-tarballs.mjs';
import { runPackages } from './run-packages.mjs';

const root = join(import.meta.dirname, '..');
const outside = mkdtempSync(join(tmpdir(), 'offload-packages-'));
const [worker, shop] = [join(outside, 'worker'), join(outside, 'shop')];

try {
  const packed = packLibraries(outside);
  refuseOtherVersions(packed);
  for (const { library, tarball } of packed) {
    refuseForeignFiles(library, tarball);
    run(root, 'publint', 'run', tarball, '--strict');
    run(root, 'attw', tarball, '--profile', 'esm-only', '--format', 'ascii', '--no-emoji');
  }
  const sizes = ['client', 'worker'].map((library) => {
    const alone = join(outside, `${library}-alone`);
    install(alone, packed, [library]);
    return `@offload/${library} ${(bytesIn(join(alone, 'node_modules')) / 1024 ** 2).toFixed(1)} MiB`;
  });
  install(shop, packed, ['client'], consumers.shop);
  install(worker, packed, doors, consumers.worker);
  for (const folder of [shop, worker]) run(folder, 'node', join(root, 'node_modules/typescript/bin/tsc'), '-p', '.');
  writeDoors(packed);
  run(worker, 'node', 'doors.mjs');
  run(worker, 'node', '--conditions=@offload/source', 'doors.mjs'); // published packages do not have the condition of this repository
  run(worker, 'node', '--test', 'out/resize.test.js');
  await runPackages({ worker, shop });
  process.stdout.write(`${packed.length} packages packed, installed outside, imported, typed and run\n`);
  process.stdout.write(`installed, with all that they need: ${sizes.join(', ')}\n`);
} finally {
  rmSync(outside, { recursive: true });
}

function run(cwd, command, ...args) {
  try {
    execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    process.stderr.write(`${error.stdout}\n${error.stderr}\n${command} ${args.join(' ')} failed in ${cwd}\n`);
    throw error;
  }
}

/** Changesets must give one version to all published packages. */
function refuseOtherVersions(packed) {
  const { fixed } = JSON.parse(readFileSync(join(root, '.changeset/config.json'), 'utf8'));
  const expected = `@offload/{${packed.map(({ library }) => library)}}`;
  if (fixed[0][0] !== expected) throw new Error(`"fixed" in .changeset/config.json must be ${expected}`);
}

/** Refuses files other than compiled code, its types, and the texts about the package. */
function refuseForeignFiles(library, tarball) {
  const files = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).trim().split('\n');
  const known = /^package\/(dist\/.*\.(js|d\.ts)|prisma\/migrations\/.*|package\.json|(README|CHANGELOG)\.md|LICENSE)$/;
  const foreign = files.filter((file) => !known.test(file) || /\.spec\.|\/spec-/.test(file));
  const missing = ['README.md', 'LICENSE'].filter((file) => !files.includes(`package/${file}`));
  if (foreign.length + missing.length > 0) {
    throw new Error(`${library}: ${[...foreign, ...missing.map((file) => `no ${file}`)].join(', ')}`);
  }
}

/** Installs some of the packages into a folder, with a program and a manifest of its own. */
function install(folder, packed, libraries, { files = {}, needs = {} } = {}) {
  mkdirSync(folder);
  const write = (file, text) => writeFileSync(join(folder, file), text);
  const tarballs = Object.fromEntries(packed.map(({ manifest, tarball }) => [manifest.name, `file:${tarball}`]));
  const chosen = libraries.map((library) => `@offload/${library}`);
  const others = Object.entries(needs).map(([name, version]) => [name, version ?? versionHere(name)]);
  const manifest = {
    ...{ name: 'consumer', private: true, type: 'module' },
    dependencies: Object.fromEntries([...chosen.map((name) => [name, tarballs[name]]), ...others]),
    overrides: tarballs, // none of them comes from the registry
  };
  const compilerOptions = {
    ...{ target: 'es2023', module: 'nodenext', strict: true, outDir: 'out', rootDir: '.', types: ['node'] },
    skipLibCheck: libraries.includes('worker'), // express and pg, behind its doors, have their types elsewhere
  };
  write('package.json', JSON.stringify(manifest));
  write('tsconfig.json', JSON.stringify({ compilerOptions, files: Object.keys(files) }));
  for (const [file, text] of Object.entries(files)) write(file, text);
  run(folder, 'npm', 'install', '--no-audit', '--no-fund', '--prefer-offline');
}

function versionHere(name) {
  return JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version;
}

/** Writes a program that imports each door. */
function writeDoors(packed) {
  const imports = packed
    .filter(({ library }) => doors.includes(library))
    .flatMap(({ manifest: { name, exports } }) => Object.keys(exports).map((door) => name + door.slice(1)))
    .filter((door) => !door.endsWith('/package.json'));
  writeFileSync(join(worker, 'doors.mjs'), imports.map((door) => `await import('${door}');\n`).join(''));
}

function bytesIn(folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return entries.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}
