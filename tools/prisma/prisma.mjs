#!/usr/bin/env node
// `node tools/prisma.mjs <args>` = `prisma <args>`, but on machines where the postinstall of @prisma/engines could not
// download the native schema engine (no route to binaries.prisma.sh) it runs Prisma's WebAssembly engine through
// tools/schema-engine.mjs. Where the native engine is there, it is used and this file does nothing.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
const require = createRequire(import.meta.url);
const env = { CHECKPOINT_DISABLE: '1', PRISMA_HIDE_UPDATE_MESSAGE: '1', ...process.env };
const engines = dirname(require.resolve('@prisma/engines/package.json'));
const native = readdirSync(engines).some((f) => f.startsWith('schema-engine-'));
if (!native && !env.PRISMA_SCHEMA_ENGINE_BINARY)
  env.PRISMA_SCHEMA_ENGINE_BINARY = join(import.meta.dirname, 'schema-engine.mjs');
const r = spawnSync(process.execPath, [require.resolve('prisma/build/index.js'), ...process.argv.slice(2)], {
  stdio: 'inherit',
  env,
});
process.exit(r.status ?? 1);
