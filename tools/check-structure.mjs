// Proves that the rules of structure.mjs are enforced: a small valid repository passes, it fails with each offence, and
// this repository passes.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { structureFaults } from './structure.mjs';

const values = (count) => Array.from({ length: count }, (_, n) => `export const value${n} = ${n};\n`).join('');
const types = (count) => Array.from({ length: count }, (_, n) => `export type Type${n} = ${n};\n`).join('');
const manifest = (name, { needs = [], doors: files = [] }) => {
  const dependencies = Object.fromEntries(needs.map((other) => [`@offload/${other}`, '*']));
  const exports = Object.fromEntries(files.map((file) => [`./${file}`, { '@offload/source': `./src/${file}.ts` }]));
  return JSON.stringify({
    name: `@offload/${name}`,
    dependencies,
    exports: { '.': { '@offload/source': './src/index.ts' }, ...exports },
  });
};

const copies = (...all) => all.map((folder) => `COPY ${folder}/package.json ${folder}/\n`).join('');

/** A repository that reaches each limit of the rules. */
const sound = {
  'apps/one/package.json': '{ "dependencies": { "@offload/upper": "*" } }',
  'deploy/Dockerfile': copies('apps/one', 'libs/upper', 'libs/lower'),
  'apps/one/src/main.ts': "import { value0 } from '@offload/upper';\n" + '// a line\n'.repeat(299),
  'apps/one/src/spec-program.ts': "export const programs = ['libs/lower/src/program.ts', 'apps/one/src/main.ts'];\n",
  'libs/upper/package.json': manifest('upper', { needs: ['lower'], doors: ['more'] }),
  'libs/upper/src/index.ts': values(15) + types(15),
  'libs/upper/src/more.ts': "import { lower } from '@offload/lower';\nexport { inner } from './inner.ts';\n",
  'libs/upper/src/inner.ts': "export const inner = ['apps/one/dist/main.js', './inner.ts'];\n",
  'libs/lower/package.json': manifest('lower', { doors: ['program'] }),
  'libs/lower/src/index.ts': "export { lower } from './lower.ts';\n",
  'libs/lower/src/lower.ts': 'export const lower = 1;\n',
  'libs/lower/src/program.ts': '',
};

const inner = 'libs/upper/src/inner.ts';
const main = 'apps/one/src/main.ts';
/** Each fault, with the files that cause it. */
const offences = [
  ['circle', { [inner]: "import './other.ts';\n", 'libs/upper/src/other.ts': "import './inner.ts';\n" }],
  [
    'circle',
    { [inner]: "import type { A } from './other.ts';\n", 'libs/upper/src/other.ts': "import './inner.ts';\n" },
  ],
  ['packages in a circle', { 'libs/lower/src/other.ts': "import '@offload/upper';\n" }],
  ['import past a door', { [main]: "import '../../../libs/lower/src/lower.ts';\n" }],
  ['import past a door', { [main]: "export default import('../../../libs/lower/src/lower.ts');\n" }],
  ['import past a door', { 'tools/tool.mjs': "import '../libs/lower/src/lower.ts';\n" }],
  ['import past a door', { 'apps/two/src/main.ts': "import type { A } from '../../one/src/main.ts';\n" }],
  ['31 names', { 'libs/upper/src/more.ts': `export { a, type B } from './other.ts';\n${types(29)}` }],
  ['16 values', { 'libs/upper/src/index.ts': values(16) }],
  ['not *', { 'libs/upper/src/index.ts': "export * from './inner.ts';\n" }],
  ['301 lines', { [inner]: '// a line\n'.repeat(301) }],
  ['not in the image: libs/lower', { 'deploy/Dockerfile': copies('apps/one', 'libs/upper') }],
  ['not needed: libs/lower', { 'libs/upper/package.json': manifest('upper', { doors: ['more'] }) }],
  ['path past a door', { [main]: "spawn(node, ['libs/lower/src/lower.ts']);\n" }],
  ['path past a door', { [main]: "spawn(node, ['./libs/lower/dist/lower.js']);\n" }],
  ['path past a door', { [main]: 'spawn(node, [`${root}/libs/lower/src/lower.ts`]);\n' }],
  ['path past a door', { [main]: "new URL('../../../libs/lower/src/lower.ts', import.meta.url);\n" }],
  ['path past a door', { [main]: "join(root, 'libs', 'lower', 'src/lower.ts');\n" }],
  ['path past a door', { 'libs/upper/src/a.spec.ts': "startProgram('apps/one/src/spec-program.ts');\n" }],
  ['path past a door', { 'libs/upper/src/a.spec.ts': "join(import.meta.dirname, '../../lower/src');\n" }],
];

/** @returns the faults of a repository with these files */
async function faultsOf(files) {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'offload-structure-')));
  try {
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(join(root, dirname(file)), { recursive: true });
      writeFileSync(join(root, file), text);
    }
    mkdirSync(join(root, 'node_modules/@offload'), { recursive: true });
    for (const name of ['upper', 'lower'])
      symlinkSync(join(root, 'libs', name), join(root, 'node_modules/@offload', name));
    return await structureFaults(root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

const wrong = (await faultsOf(sound)).map((fault) => `a valid repository is refused: ${fault}`);
for (const [expected, files] of offences) {
  const faults = await faultsOf({ ...sound, ...files });
  if (faults.length !== 1 || !faults[0].includes(expected)) {
    wrong.push(`${JSON.stringify(files)} should be refused for "${expected}", and is for: ${faults.join('; ')}`);
  }
}
wrong.push(...(await structureFaults(join(import.meta.dirname, '..'))));
process.stdout.write(wrong.map((line) => `${line}\n`).join(''));
process.stdout.write(`the repository and ${offences.length} offences checked, ${wrong.length} wrong\n`);
process.exit(wrong.length === 0 ? 0 : 1);
