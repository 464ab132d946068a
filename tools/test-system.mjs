// Jest's globalSetup for specs that start the apps. It runs tools/test-servers.mjs, and compiles the apps as for a
// deployment. A process needs 1.9 s of CPU from source until it reads its configuration, but 0.8 s compiled.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import startServers from './test-servers.mjs';

const root = join(import.meta.dirname, '..');
const compiled = ['apps/api', 'apps/worker', 'apps/notifier', 'libs/running-system'];

/** Sets TEST_COMPILED for `startProgram` of libs/running-system. If the sources do not compile, the run fails. */
export default async function setup(jest) {
  await startServers(jest);
  const projects = compiled.map((folder) => join(folder, 'tsconfig.lib.json'));
  try {
    await promisify(execFile)('node_modules/.bin/tsc', ['-b', ...projects], { cwd: root });
  } catch (error) {
    throw new Error(`The apps were not compiled:\n${error.stdout}`, { cause: error });
  }
  process.env.TEST_COMPILED = 'true';
}
