// Follows docs/adding-a-job.md, "In this repository", in a copy of this repository. It runs the commands, writes the
// files, checks format, types and lint, and runs the handler. It installs dependencies as the image does, so a package
// with an optional native part must be in the image too.
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { copyRepository } from './copy-repository.mjs';

const root = join(import.meta.dirname, '..');
const [, section] = /^## In this repository$(.*?)^## /ms.exec(read('docs/adding-a-job.md'));
const commands = [...section.matchAll(/^\$ (npm .+)$/gm)].map(([, command]) => command.split(' '));
const files = [...section.matchAll(/^```ts\n\/\/ (\S+)\n(.*?)^```$/gms)].map(([, file, text]) => ({ file, text }));
const handler = files.at(-1).file;

/** The spec of the handler in the guide, which scales a real image. */
const spec = `import { expect, it } from '@jest/globals';
import { jobDefinitions } from '@offload/jobs/job-types';
import { runHandler } from '@offload/testing';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { imageResize } from './image.resize.ts';

it('scales an image', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'offload-image-'));
  const path = join(folder, 'large.png');
  await sharp({ create: { width: 40, height: 20, channels: 3, background: 'red' } }).toFile(path);
  const { result } = await runHandler({ definition: jobDefinitions.imageResize, handler: imageResize }, { path, width: 10 });
  expect(await sharp(result?.path).metadata()).toMatchObject({ format: 'webp', width: 10, height: 5 });
  await rm(folder, { recursive: true });
});
`;

const { copy, run } = copyRepository();
const image = mkdtempSync(join(tmpdir(), 'offload-image-'));
try {
  for (const [npm, ...args] of commands) run(npm, ...args, ...(args[0] === 'install' ? ['--package-lock-only'] : []));
  for (const { file, text } of files) writeFileSync(join(copy, file), text);
  writeFileSync(join(copy, handler.replace('.ts', '.spec.ts')), spec);
  installAsImage();
  const names = readdirSync(join(image, 'node_modules')).filter(
    (name) => !existsSync(join(copy, 'node_modules', name)),
  );
  for (const name of names) symlinkSync(join(image, 'node_modules', name), join(copy, 'node_modules', name));
  run('npx', 'prettier', '--check', ...files.map(({ file }) => file));
  run('npx', 'tsc', '-b', 'apps/worker');
  run('npx', 'nx', 'run-many', '-t', 'lint', '-p', '@offload/jobs', '@offload/worker-app');
  run(
    'npx',
    'jest',
    '-c',
    'apps/worker/jest.config.mjs',
    '--rootDir',
    'apps/worker',
    '--testPathPatterns',
    'image.resize',
  );
} finally {
  for (const folder of [copy, image]) rmSync(folder, { recursive: true });
}
process.stdout.write('the guide to a job type works, and the image has the dependencies of its package\n');

/** Installs the image's dependencies as the Dockerfile does, with the manifests of the copy. */
function installAsImage() {
  const dockerfile = read('deploy/Dockerfile');
  const [, install] = /^FROM manifests AS dependencies$.*?(npm ci .*?)$/ms.exec(dockerfile);
  for (const [, line] of dockerfile.matchAll(/^COPY (.*package\.json .*)$/gm)) {
    for (const source of line.split(' ').slice(0, -1)) {
      mkdirSync(dirname(join(image, source)), { recursive: true });
      copyFileSync(join(copy, source), join(image, source));
    }
  }
  const [npm, ...args] = install.replace(/\s*\\$/, '').split(' ');
  execFileSync(npm, args, { cwd: image, stdio: ['ignore', 'ignore', 'inherit'] });
}

function read(file) {
  return readFileSync(join(root, file), 'utf8');
}
