// Proves that every spec file runs, and that `nx affected -t test` runs the tests that a change can break. It asks Jest
// which files it finds, and Nx which projects a change of some files affects.
import { execFileSync } from 'node:child_process';
import { join, relative } from 'node:path';

const root = join(import.meta.dirname, '..');
const projects = (...names) => names.map((name) => `@offload/${name}`);
const everyone = ['api', 'client', 'database', 'e2e', 'jobs', 'outbound', 'proof', 'start', 'worker-app'];

/**
 * The projects that a change of a file must affect, and those that it must not. e2e and proof start apps without
 * imports.
 */
const changes = [
  {
    file: 'libs/database/src/open-database.ts',
    affects: ['database', 'api', 'worker', 'worker-app', 'notifier', 'doctor', 'start', 'e2e', 'proof'],
    spares: ['client', 'jobs', 'messaging', 'outbound'],
  },
  {
    file: 'libs/client/src/index.ts',
    affects: ['client', 'e2e', 'proof'],
    spares: ['database', 'jobs', 'api', 'worker', 'notifier'],
  },
  { file: 'libs/spec-kit/src/servers/broker.ts', affects: ['api', 'database', 'e2e'], spares: ['jobs', 'client'] },
  { file: 'apps/worker/src/main.ts', affects: ['worker-app', 'start', 'e2e', 'proof'], spares: ['worker', 'api'] },
  { file: 'apps/start/src/main.ts', affects: ['start', 'e2e'], spares: ['api', 'proof'] },
  { file: 'examples/01-hello/send.ts', affects: ['e2e'], spares: ['api', 'messaging', 'proof'] },
  { file: 'docker-compose.yml', affects: ['api', 'notifier', 'worker'], spares: ['database', 'client'] },
  { file: 'examples/08-python-worker/worker.py', affects: ['e2e', 'proof'], spares: ['api', 'messaging'] },
  {
    file: 'deploy/rabbitmq/definitions.json',
    affects: ['api', 'embedded-servers', 'job-messages'],
    spares: ['client', 'jobs', 'outbound'],
  },
  { file: 'tools/api-key.mjs', affects: ['access'], spares: ['database', 'messaging'] },
  { file: 'docs/http-conformance.md', affects: ['proof'], spares: ['api', 'e2e'] },
  { file: 'docs/security.md', affects: [], spares: everyone },
  { file: 'jest.preset.mjs', affects: everyone, spares: [] },
  { file: 'tools/test-servers.mjs', affects: everyone, spares: [] },
  { file: 'package-lock.json', affects: everyone, spares: [] },
];

const run = (program, ...args) =>
  execFileSync(join('node_modules/.bin', program), args, { cwd: root, encoding: 'utf8' });

function filesThatRun() {
  const found = run('jest', '--listTests').trim().split('\n');
  return found.map((file) => relative(root, file).replaceAll('\\', '/'));
}

function affectedBy(file) {
  const question = ['show', 'projects', '--affected', `--files=${file}`, '--with-target', 'test', '--json'];
  return JSON.parse(run('nx', ...question));
}

const wrong = [];
const runs = new Set(filesThatRun());
const specs = execFileSync('git', ['ls-files', '*.spec.ts'], { cwd: root, encoding: 'utf8' }).trim().split('\n');
for (const spec of specs) if (!runs.has(spec)) wrong.push(`${spec} is not run`);

for (const { file, affects, spares } of changes) {
  const affected = affectedBy(file);
  for (const name of projects(...affects)) if (!affected.includes(name)) wrong.push(`${file} does not affect ${name}`);
  for (const name of projects(...spares)) if (affected.includes(name)) wrong.push(`${file} affects ${name}`);
}

process.stdout.write(wrong.map((line) => `${line}\n`).join(''));
process.stdout.write(`${specs.length} spec files and ${changes.length} changes checked, ${wrong.length} wrong\n`);
process.exit(wrong.length === 0 ? 0 : 1);
