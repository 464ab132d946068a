// Proves that the files of `npm run new-job` pass all checks. It runs the command in a copy of this repository, checks
// format, types and lint, runs the new spec, and expects that a second run refuses to overwrite.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { copyRepository } from './copy-repository.mjs';

const TYPE = 'image.re-size';
const written = [
  `libs/jobs/src/job-types/${TYPE}.ts`,
  `apps/worker/src/handlers/${TYPE}.ts`,
  `apps/worker/src/handlers/${TYPE}.spec.ts`,
  `apps/worker/fixtures/${TYPE}.json`,
];

const { copy, run } = copyRepository();
try {
  run('npm', 'run', 'new-job', '--', TYPE);
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
  refuses(`image.${'x'.repeat(123)}`, '128 characters');
  refuses('image.spec', 'is a test');
} finally {
  rmSync(copy, { recursive: true });
}
process.stdout.write('a new job type is well formatted, typed, linted and tested, and overwrites nothing\n');

function refuses(type, why) {
  const { status, stderr } = spawnSync('npm', ['run', 'new-job', '--', type], { cwd: copy, encoding: 'utf8' });
  if (status !== 1 || !stderr.includes(why))
    throw new Error(`new-job "${type}" should be refused: ${why}; was: ${stderr}`);
}
