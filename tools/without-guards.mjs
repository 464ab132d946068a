// Proves that the fault suite detects faults. It removes one guard after the other in a copy of this repository, and
// fails unless the scenario of the guard fails there. It takes some twelve minutes.
//
//   npm run test:guards
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { editSources } from './edit-sources.mjs';
import { guards } from './guards.mjs';

const root = join(import.meta.dirname, '..');
const copy = mkdtempSync(join(tmpdir(), 'offload-guards-'));
const run = (command, ...args) => spawnSync(command, args, { cwd: copy, encoding: 'utf8' });
function must(command, ...args) {
  const { status, stderr } = run(command, ...args);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stderr}`);
}

/** Runs a scenario. @returns the suite's last line */
function play(scenario) {
  const suite = ['--import', 'tsx', '--conditions=@offload/source', 'proof/faults/run.ts'];
  const { stdout } = run(process.execPath, ...suite, '--short', '--seed', '4', '--only', scenario);
  return stdout.trimEnd().split('\n').at(-1);
}

let wrong = 0;
function tell(right, what) {
  if (!right) wrong += 1;
  process.stdout.write(`${right ? 'pass' : 'FAIL'}  ${what}\n`);
}

try {
  must('git', 'clone', '-q', root, '.');
  must('npm', 'ci');
  for (const { guard, scenario, edits } of guards) {
    tell(play(scenario) === '1 passed, 0 failed', `${scenario}, with every guard`);
    editSources(copy, edits);
    tell(play(scenario) === '0 passed, 1 failed', `${scenario} fails without ${guard}`);
    must('git', 'checkout', '-q', '.');
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
process.stdout.write(`${2 * guards.length - wrong} passed, ${wrong} failed\n`);
process.exit(wrong === 0 ? 0 : 1);
