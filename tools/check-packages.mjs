// Proves that the packages install: packs them, judges the tarballs with publint and attw, installs them into an empty
// folder outside the repository, imports every door there, runs a handler, and type-checks a program that uses them.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { program } from './package-consumer.mjs';
import { doors, packLibraries } from './package-tarballs.mjs';

const root = join(import.meta.dirname, '..');
const outside = mkdtempSync(join(tmpdir(), 'offload-packages-'));
const consumer = join(outside, 'consumer');

try {
  const packed = packLibraries(outside);
  refuseOtherVersions(packed);
  for (const { library, tarball } of packed) {
    refuseForeignFiles(library, tarball);
    run(root, 'publint', 'run', tarball, '--strict');
    run(root, 'attw', tarball, '--profile', 'esm-only', '--format', 'ascii', '--no-emoji');
  }
  writeConsumer(packed);
  run(consumer, 'npm', 'install', '--no-audit', '--no-fund', '--prefer-offline');
  run(consumer, 'node', 'doors.mjs');
  run(consumer, 'node', '--conditions=@offload/source', 'doors.mjs'); // the condition of this repository leads nowhere
  run(consumer, 'node', join(root, 'node_modules/typescript/bin/tsc'), '-p', '.');
  run(consumer, 'node', '--test', 'out/resize.test.js');
  process.stdout.write(`${packed.length} packages packed, installed outside, imported, typed and run\n`);
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

/** Changesets must give one version to all that are published. */
function refuseOtherVersions(packed) {
  const { fixed } = JSON.parse(readFileSync(join(root, '.changeset/config.json'), 'utf8'));
  const expected = `@offload/{${packed.map(({ library }) => library)}}`;
  if (fixed[0][0] !== expected) throw new Error(`"fixed" in .changeset/config.json must be ${expected}`);
}

/** Only what runs, what types it, and what says what it is. */
function refuseForeignFiles(library, tarball) {
  const files = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).trim().split('\n');
  const known = /^package\/(dist\/.*\.(js|d\.ts)|prisma\/migrations\/.*|package\.json|(README|CHANGELOG)\.md|LICENSE)$/;
  const foreign = files.filter((file) => !known.test(file) || /\.spec\.|\/spec-/.test(file));
  const missing = ['README.md', 'LICENSE'].filter((file) => !files.includes(`package/${file}`));
  if (foreign.length + missing.length > 0) {
    throw new Error(`${library}: ${[...foreign, ...missing.map((file) => `no ${file}`)].join(', ')}`);
  }
}

/** A program with its own manifest, of the tarballs and of what types Node.js. */
function writeConsumer(packed) {
  mkdirSync(consumer);
  const { zod } = packed.find(({ library }) => library === 'jobs').manifest.dependencies;
  const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).devDependencies;
  const tarballs = Object.fromEntries(packed.map(({ manifest, tarball }) => [manifest.name, `file:${tarball}`]));
  write('package.json', {
    ...{ name: 'consumer', private: true, type: 'module' },
    dependencies: { ...tarballs, '@types/node': own['@types/node'], zod },
    overrides: tarballs, // none of them comes from the registry
  });
  write('tsconfig.json', {
    compilerOptions: {
      ...{ target: 'es2023', module: 'nodenext', strict: true, outDir: 'out', rootDir: '.', types: ['node'] },
      skipLibCheck: true, // express and pg, behind the doors, have their types elsewhere
    },
    files: Object.keys(program),
  });
  const imports = packed
    .filter(({ library }) => doors.includes(library))
    .flatMap(({ manifest: { name, exports } }) => Object.keys(exports).map((door) => name + door.slice(1)))
    .filter((door) => !door.endsWith('/package.json'));
  write('doors.mjs', imports.map((door) => `await import('${door}');\n`).join(''));
  for (const [file, text] of Object.entries(program)) write(file, text);
}

function write(file, contents) {
  writeFileSync(join(consumer, file), typeof contents === 'string' ? contents : JSON.stringify(contents, null, 2));
}
