#!/usr/bin/env node
// `npm run prisma -- <args>` runs `prisma <args>`. The CLI (240 MB) lives in this folder and is installed at its first
// use: only changing the schema needs it. If its native schema engine could not be downloaded, schema-engine.mjs
// replaces it with the WebAssembly engine that Prisma publishes on npm. The database is that of DATABASE_URL, or else
// that of the running `npm start`.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { serversOfStart } from '../servers-of-start.mjs';

const here = import.meta.dirname;
const root = join(here, '../..');
const run = (command, args, options) => {
  const { status } = spawnSync(command, args, { stdio: 'inherit', ...options });
  if (status !== 0) process.exit(status ?? 1);
};

if (!existsSync(join(here, 'node_modules/prisma'))) {
  // --ignore-scripts: the post-install step is the download of the native engine.
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: here });
}
const native = readdirSync(join(here, 'node_modules/@prisma/engines')).some((file) =>
  file.startsWith('schema-engine-'),
);
run(process.execPath, [join(here, 'node_modules/prisma/build/index.js'), ...process.argv.slice(2)], {
  cwd: join(root, 'libs/database'),
  env: {
    ...serversOfStart(),
    CHECKPOINT_DISABLE: '1',
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
    NODE_PATH: join(here, 'node_modules'),
    ...(native ? {} : { PRISMA_SCHEMA_ENGINE_BINARY: join(here, 'schema-engine.mjs') }),
    ...process.env,
  },
});
