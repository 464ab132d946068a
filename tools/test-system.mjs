// Jest's globalSetup where specs start the apps: tools/test-servers.mjs, and the apps compiled as they are deployed. From
// source a process takes 1.9 s of CPU until it reads its configuration, compiled 0.8 s, and a run starts a hundred.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import startServers from './test-servers.mjs';

const root = join(import.meta.dirname, '..');
const compiled = ['apps/api', 'apps/worker', 'apps/notifier', 'libs/running-system'];

/** Sets TEST_COMPILED for `startProgram` of libs/running-system; sources that do not compile fail the run. */
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
