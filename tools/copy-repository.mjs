import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const copied = ['apps', 'libs', 'tools', 'package.json', 'tsconfig.base.json', 'nx.json', 'eslint.config.mjs'];
const others = ['jest.preset.mjs', 'package-lock.json', '.npmrc', '.prettierrc.json', '.prettierignore'];

/**
 * Copies this repository with all its packages into a new folder. Links in node_modules would lead to the originals.
 * The caller removes the folder.
 *
 * @returns the folder, and `run`, which runs a command there and throws if it fails
 */
export function copyRepository() {
  const copy = realpathSync(mkdtempSync(join(tmpdir(), 'offload-copy-')));
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

  function run(command, ...args) {
    const NODE_OPTIONS = args[0] === 'jest' ? '--experimental-vm-modules --disable-warning=ExperimentalWarning' : '';
    const env = { ...process.env, NX_ISOLATE_PLUGINS: 'false', NODE_OPTIONS };
    execFileSync(command, args, { cwd: copy, env, stdio: ['ignore', 'ignore', 'inherit'] });
  }
  return { copy, run };
}
