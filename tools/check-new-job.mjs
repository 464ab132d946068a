// Proves that what `npm run new-job` writes is green at once: runs it in a copy of this repository, and there checks format,
// types and lint, runs the new spec, and expects that a second run refuses to overwrite.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const TYPE = 'image.re-size';
const copied = ['apps', 'libs', 'tools', 'package.json', 'tsconfig.base.json', 'nx.json', 'eslint.config.mjs'];
const others = ['jest.preset.mjs', 'package-lock.json', '.prettierrc.json', '.prettierignore'];
const written = [
  `libs/jobs/src/job-types/${TYPE}.ts`,
  `apps/worker/src/handlers/${TYPE}.ts`,
  `apps/worker/src/handlers/${TYPE}.spec.ts`,
  `apps/worker/fixtures/${TYPE}.json`,
];

const copy = realpathSync(mkdtempSync(join(tmpdir(), 'offload-new-job-')));
try {
  copyRepository();
  run('node', 'tools/new-job.mjs', TYPE);
  run(
    'npx',
    'prettier',
    '--check',
    ...written,
    'libs/jobs/src/job-types/registry.ts',
    'apps/worker/src/handlers/index.ts',
  );
  run('npx', 'tsc', '-b', 'apps/worker');
  run('npx', 'nx', 'run-many', '-t', 'lint', '-p', '@offload/jobs', '@offload/worker-app');
  run('npx', 'jest', '-c', 'apps/worker/jest.config.mjs', '--rootDir', 'apps/worker', '--testPathPatterns', TYPE);
  refuses(TYPE, 'is there already');
  rmSync(join(copy, written[0]));
  refuses(TYPE, 'is there already');
  for (const file of written.slice(1)) rmSync(join(copy, file));
  refuses(TYPE, 'has imageReSize already');
  for (const type of ['', 'resize', 'Image.resize', 'image..resize', '../image.resize']) refuses(type, 'usage');
} finally {
  rmSync(copy, { recursive: true });
}
process.stdout.write('a new job type is well formatted, typed, linted and tested, and overwrites nothing\n');

/** With all packages of the repository's own copied, since links of node_modules would lead to the originals. */
function copyRepository() {
  const filter = (file) => !['node_modules', 'out-tsc'].includes(basename(file));
  for (const name of [...copied, ...others]) cpSync(join(root, name), join(copy, name), { recursive: true, filter });
  mkdirSync(join(copy, 'node_modules/@offload'), { recursive: true });
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (name !== '@offload') symlinkSync(join(root, 'node_modules', name), join(copy, 'node_modules', name));
  }
  for (const name of readdirSync(join(root, 'node_modules/@offload'))) {
    const folder = realpathSync(join(root, 'node_modules/@offload', name)).slice(root.length + 1);
    symlinkSync(join(copy, folder), join(copy, 'node_modules/@offload', name));
  }
}

function run(command, ...args) {
  const NODE_OPTIONS = args[0] === 'jest' ? '--experimental-vm-modules --disable-warning=ExperimentalWarning' : '';
  const env = { ...process.env, NX_ISOLATE_PLUGINS: 'false', NODE_OPTIONS };
  execFileSync(command, args, { cwd: copy, env, stdio: ['ignore', 'ignore', 'inherit'] });
}

function refuses(type, why) {
  const { status, stderr } = spawnSync('node', ['tools/new-job.mjs', type], { cwd: copy, encoding: 'utf8' });
  if (status !== 1 || !stderr.includes(why))
    throw new Error(`new-job "${type}" should be refused: ${why}; was: ${stderr}`);
}
