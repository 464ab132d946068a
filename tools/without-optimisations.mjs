// Measures the gain of each optimisation. It removes the optimisation in a copy of this checkout, and runs `npm run
// compare` with both. It prints the medians, and the median of the rounds' ratios. With 3 rounds it takes some 25
// minutes on an idle machine; `--rounds 5` takes more, and `--only name,name` measures some.
//
//   npm run optimisations -- --rounds 3
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { editSources } from './edit-sources.mjs';
import { optimisations } from './optimisations/index.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: optimisations.map(({ name }) => name).join() },
  },
});
const names = values.only.split(',');
const unknown = names.filter((wanted) => !optimisations.some(({ name }) => name === wanted));
if (unknown.length > 0) throw new Error(`there is no ${unknown.join()}`);
const wanted = optimisations.filter(({ name }) => names.includes(name));

/** Copies that are measured together at most. With more, two compared runs are too far apart in time. */
const MOST_TOGETHER = 6;

const root = join(import.meta.dirname, '..');
const copies = mkdtempSync(join(tmpdir(), 'offload-optimisations-'));
const compiled = join(copies, 'compiled');

/** Copies this checkout. The copy uses this checkout's packages, except for its own libraries. */
function copyCheckout() {
  const left = ['.git', '.nx', '.offload', 'coverage', 'node_modules'].map((name) => join(root, name));
  cpSync(root, compiled, { recursive: true, verbatimSymlinks: true, filter: (source) => !left.includes(source) });
  const packages = join(compiled, 'node_modules');
  mkdirSync(packages);
  for (const name of readdirSync(left.at(-1))) {
    const from = join(left.at(-1), name);
    if (name === '@offload') cpSync(from, join(packages, name), { recursive: true, verbatimSymlinks: true });
    else symlinkSync(from, join(packages, name));
  }
  // An edit may leave a name unused.
  editSources(compiled, [['tsconfig.base.json', '"noUnusedLocals": true', '"noUnusedLocals": false']]);
}

function mustCompile(folder) {
  const compiler = [
    'node_modules/typescript/bin/tsc',
    '-b',
    'apps/api/tsconfig.lib.json',
    'apps/worker/tsconfig.lib.json',
  ];
  const { status, stdout } = spawnSync(process.execPath, compiler, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${folder} does not compile:\n${stdout}`);
}

function copyWithout({ name, edits }) {
  const folder = join(copies, name);
  cpSync(compiled, folder, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  editSources(folder, edits);
  return folder;
}

/** Groups optimisations that are measured with the same rows, a few at a time. */
function groupsOf(all) {
  return [...new Set(all.map(({ rows }) => rows))].flatMap((rows) => {
    const alike = all.filter((each) => each.rows === rows);
    const count = Math.ceil(alike.length / MOST_TOGETHER);
    const size = Math.ceil(alike.length / count);
    return Array.from({ length: count }, (_, nth) => alike.slice(nth * size, (nth + 1) * size));
  });
}

/** Runs the comparison. @returns the lines of its table */
function compare(folders, rows) {
  const args = ['run', '--silent', 'compare', '--', ...folders, '--only', rows, '--rounds', values.rounds];
  const { status, stdout } = spawnSync('npm', args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`npm ${args.join(' ')} failed`);
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(2); // without its head
}

try {
  copyCheckout();
  mustCompile(compiled);
  for (const { name, plain } of wanted) console.log(`- ${name}. Without it: ${plain}`);
  console.log('\n| optimisation | median of the rounds | with it | without it | with / without |');
  console.log('| --- | --- | --- | --- | --- |');
  for (const group of groupsOf(wanted)) {
    const folders = group.map(copyWithout);
    for (const line of compare(folders, group[0].rows)) console.log(line);
    for (const folder of folders) rmSync(folder, { recursive: true });
  }
} finally {
  rmSync(copies, { recursive: true, force: true });
}
